/* SPDX-License-Identifier: MIT */
/*
 * Connections that other programs have saved: a file's text becomes a list of profiles, which name no
 * program, no include and nothing that a URL may not set either. Nothing is written here, and nothing is
 * asked.
 */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/config.h>
#include <model/profile.h>

/* The largest file that is read, and the most connections in it. */
#define IMPORT_BYTES (1024 * 1024)
#define IMPORT_ENTRIES 2000

/* What was not taken over, in words for a person: no secret in it. */
struct import_left {
    char *what, *why;
};

struct import_entry {
    char *label;      /* what the file calls it; NULL: nothing */
    char *group;      /* the folder that it is in; NULL: none */
    char *name;       /* a valid name of a profile: import_name_all() */
    struct profile p; /* its keys, of ORIGIN_FILE; its passwords */
    char *kept;       /* under which service Workbench keeps the password in the keychain; NULL */
    bool is_tls_said; /* the file says something about TLS; otherwise tls is `preferred` */
    struct import_left *left;
    size_t left_count;
};

struct import_list {
    const char *format; /* static */
    struct import_entry *entry;
    size_t count;
    struct import_left *skipped; /* whole connections, or parts that no connection has */
    size_t skipped_count;
};
void import_release(struct import_list *list);
#define AUTO_IMPORT(name) __attribute__((cleanup(import_release))) struct import_list name = {0}

/*
 * Recognises the format by the text and reads it. `path` is where the text is from, for files that belong
 * together (NULL: stdin). The text is changed. ERR_DATA: no known format, or malformed; ERR_CONFIG: a helper
 * is missing.
 */
int import_read(const char *path, struct buf *text, struct import_list *out, struct err *e);

/* Gives every entry a name of its own, by label, which no profile of `c` has; a name that differs from the
 * label leaves the label in `title`. */
void import_name_all(struct import_list *list, const struct config *c);

/* The settings as overrides for config_edit_add() and config_resolve(); the strings are the entry's. Returns
 * how many. */
#define IMPORT_SETTINGS ((size_t)KEY_COUNT + (size_t)TUNNEL_COUNT)
size_t import_settings(const struct import_entry *entry, struct override out[IMPORT_SETTINGS]);

/* Takes one key out again; `why` NULL: without a note. */
void import_drop(struct import_entry *entry, enum key k, const char *why);
/* Writes another level of TLS. */
void import_set_tls(struct import_entry *entry, const char *level);
/* Takes a whole entry out, and notes why. */
void import_leave_out(struct import_list *list, size_t i, const char *why);

#endif
