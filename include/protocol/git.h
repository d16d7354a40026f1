/* SPDX-License-Identifier: MIT */
/*
 * git's credential protocol (git-credential(1), gitcredentials(7)): lines `key=value`, up to a blank line or
 * end of file. Requests, answers and stored entries all have this format, so there is one reader and one
 * writer.
 */
#ifndef PROTOCOL_GIT_H
#define PROTOCOL_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>
#include <base/text.h>

/* The maximum length in bytes of a line with its LF, and of the whole input. */
#define GIT_LINE_MAX 65535
#define GIT_INPUT_MAX (1024 * 1024)

struct git_credential {
    char *protocol, *host, *path, *username; /* NULL: absent, which differs from an empty value */
    char *authtype;
    struct secret *credential, *password, *refresh_token;
    time_t expires; /* when password and credential expire; 0: never */
    time_t made; /* when the user was created (see struct credential); 0: not known. Not a key of git's; only
                    printed */
    bool can_authtype, can_state; /* capabilities of the caller */
    bool ephemeral;               /* the credential must not be stored */
    bool quit;                    /* the helper asks git not to try other helpers or prompt */
    bool has_state;               /* there is a state[] of broker's, with the prefix "broker:" */
    char *profile;                /* a profile of broker; not a key of git's */
    struct words keys;            /* KEY=VALUE for each line broker.KEY=VALUE */
};
void git_release(struct git_credential *c);
#define AUTO_GIT(name) __attribute__((cleanup(git_release))) struct git_credential name = {0}

/*
 * Parses the lines up to the first blank one, as git does: a CR before the LF is dropped; if a key is
 * repeated, the last one counts; an empty `key[]=` clears the list; unknown keys are ignored; `url` is split
 * into its parts. Fails with ERR_DATA, and the line number in e->what, for a line without `=`, with a NUL
 * byte, or longer than GIT_LINE_MAX bytes.
 */
int git_parse(const char *text, size_t n, struct git_credential *out, struct err *e);

/*
 * Appends a line for each field that is set, in git's order, with the capabilities first. Fails with ERR_DATA
 * if a value does not fit into a line: with a line break or a NUL byte, or too long.
 */
int git_print(const struct git_credential *c, struct buf *out, struct err *e);

/* Returns whether an entry matches a query: each field in the query must be the same in the entry; fields not
 * in the query may have any value. Secrets are not compared. */
bool git_matches(const struct git_credential *query, const struct git_credential *entry);
/* Returns whether the password and credential in the query, if any, are those of the entry. Used to erase. */
bool git_same_secrets(const struct git_credential *query, const struct git_credential *entry);

/*
 * git_identity() returns the identity under which an entry is stored: git:PROTOCOL://HOST[/PATH][;user=USER],
 * with each part percent-encoded. git_identity_prefix() returns a prefix of the identities of all entries
 * that match a query. The caller frees them.
 */
#define GIT_IDENTITY "git:"
char *git_identity(const struct git_credential *c);
char *git_identity_prefix(const struct git_credential *query);
/* Sets protocol, host, path and username from an identity; returns false if it is of another kind. */
bool git_identity_parse(const char *identity, struct git_credential *out);
/* Returns USER@HOST[/PATH], for lists. The caller frees it. */
char *git_label(const struct git_credential *c);

#endif
