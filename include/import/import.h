/* SPDX-License-Identifier: MIT */
/*
 * Imports connections that other programs have saved: turns the text of a file into a list of profiles. They
 * cannot name a program or an include, and set only what a URL may set. This module writes nothing and asks
 * no questions.
 */
#ifndef IMPORT_IMPORT_H
#define IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/config.h>
#include <model/profile.h>

/* The size of the largest file that is read, and the most connections in it. */
#define IMPORT_BYTES (1024 * 1024)
#define IMPORT_ENTRIES 2000

/* Something that was not imported, described for the user, without secrets. */
struct import_left {
    char *what, *why;
};

struct import_entry {
    char *label;      /* the connection's name in the file; NULL: none */
    char *group;      /* its folder in the other program; NULL: none */
    char *name;       /* a valid profile name, set by import_name_all() */
    struct profile p; /* its keys, with origin ORIGIN_FILE, and its passwords */
    char *kept;       /* the service name of Workbench's keychain entry with the password; NULL: none */
    bool is_tls_said; /* the file has TLS settings; otherwise tls is `preferred` */
    struct import_left *left;
    size_t left_count;
};

struct import_list {
    const char *format; /* a static string */
    struct import_entry *entry;
    size_t count;
    struct import_left *skipped; /* connections, or parts of the file that belong to no connection */
    size_t skipped_count;
};
void import_release(struct import_list *list);
#define AUTO_IMPORT(name) __attribute__((cleanup(import_release))) struct import_list name = {0}

/*
 * Recognises the format of a text and reads it. `path` is the text's file, used to find files that belong to
 * it (NULL: stdin). The text is modified. ERR_DATA if the format is unknown or the text malformed; ERR_CONFIG
 * if a helper is missing.
 */
int import_read(const char *path, struct buf *text, struct import_list *out, struct err *e);

/* Gives every entry a unique name, made from its label, that no profile of `c` has. If the name differs from
 * the label, the label becomes the `title`. */
void import_name_all(struct import_list *list, const struct config *c);

/* Returns the settings as overrides for config_edit_add() and config_resolve(), and how many there are. The
 * entry owns the strings. */
#define IMPORT_SETTINGS ((size_t)KEY_COUNT + (size_t)TUNNEL_COUNT)
size_t import_settings(const struct import_entry *entry, struct override out[IMPORT_SETTINGS]);

/* Removes a key from the entry and notes why; no note if `why` is NULL. */
void import_drop(struct import_entry *entry, enum key k, const char *why);
/* Changes the entry's TLS level. */
void import_set_tls(struct import_entry *entry, const char *level);
/* Removes an entry and notes why. */
void import_leave_out(struct import_list *list, size_t i, const char *why);

#endif
