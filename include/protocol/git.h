/* SPDX-License-Identifier: MIT */
/*
 * git's credential protocol (git-credential(1), gitcredentials(7)): lines `key=value`, ended by a blank line
 * or end of file. What a caller asks, what a helper answers and what is kept of an entry are all in this
 * form, so there is one reader and one writer.
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

/* The most bytes of a line, with its LF; and of all of them. */
#define GIT_LINE_MAX 65535
#define GIT_INPUT_MAX (1024 * 1024)

struct git_credential {
    char *protocol, *host, *path, *username; /* NULL: not given, which is not the empty value */
    char *authtype;
    struct secret *credential, *password, *refresh_token;
    time_t expires;               /* of password and credential; 0: never */
    time_t made;                  /* no key of git's: see struct credential; 0: not known. Only printed */
    bool can_authtype, can_state; /* capabilities of the other side */
    bool ephemeral;               /* must not be kept */
    bool quit;                    /* a helper wants that nobody else is asked */
    bool has_state;               /* a state[] of ours, which begins with "broker:" */
    char *profile;                /* no key of git's: a profile of broker */
    struct words keys;            /* KEY=VALUE of each broker.KEY=VALUE */
};
void git_release(struct git_credential *c);
#define AUTO_GIT(name) __attribute__((cleanup(git_release))) struct git_credential name = {0}

/*
 * Reads the lines up to the first blank one. As git: a CR before the LF is dropped, of a key that comes twice
 * the last counts, `key[]=` forgets what was listed, unknown keys are nothing, and `url` stands for its
 * parts. ERR_DATA with e->what the line: no `=`, a NUL byte, over GIT_LINE_MAX bytes.
 */
int git_parse(const char *text, size_t n, struct git_credential *out, struct err *e);

/*
 * Appends the lines of all that is set, capabilities first, in git's order. ERR_DATA for a value that a line
 * cannot carry: with a line end or a NUL byte, or too long.
 */
int git_print(const struct git_credential *c, struct buf *out, struct err *e);

/* Whether an entry is one that was asked for: what the query says is the same there; what it does not say may
 * be anything. Secrets are not looked at. */
bool git_matches(const struct git_credential *query, const struct git_credential *entry);
/* The rest of that for an erase: a password or a credential that the query has is the entry's. */
bool git_same_secrets(const struct git_credential *query, const struct git_credential *entry);

/*
 * The name of an entry in a store: git:PROTOCOL://HOST[/PATH][;user=USER], each part percent-encoded.
 * Malloced. The prefix that the names of all matches have.
 */
#define GIT_IDENTITY "git:"
char *git_identity(const struct git_credential *c);
char *git_identity_prefix(const struct git_credential *query);
/* Fills protocol, host, path and username from such a name; false for another's. */
bool git_identity_parse(const char *identity, struct git_credential *out);
/* USER@HOST, for people. Malloced. */
char *git_label(const struct git_credential *c);

#endif
