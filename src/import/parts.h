/* SPDX-License-Identifier: MIT */
/* What the readers of the formats share. */
#ifndef IMPORT_PARTS_H
#define IMPORT_PARTS_H

#include <import/import.h>

/* A new entry; NULL (and a note in `skipped`) past IMPORT_ENTRIES. `label` may be NULL. It is valid until the
 * next one is added. */
struct import_entry *import_add(struct import_list *list, const char *label);
/* Takes the newest entry back and notes why. */
void import_refuse(struct import_list *list, const char *why);
/* Notes a connection, or a part of the file, that was not taken. */
void import_skip(struct import_list *list, const char *what, const char *why);
/* Notes what was not taken of an entry. */
void import_leave(struct import_entry *entry, const char *what, const char *why);

/* Sets a key, in the form of the config file. NULL and "" are no value. A value that broker would refuse is
 * left out, with the reason. */
void import_put(struct import_entry *entry, enum key k, const char *value);
void import_put_tunnel(struct import_entry *entry, enum tunnel_key k, const char *value);
/* Copies the password; "" is none. */
void import_password(struct import_entry *entry, const char *bytes, size_t n);
/* A level of TLS that the file states. */
void import_tls(struct import_entry *entry, const char *level);
/* Sets a port unless it is empty, "0" or the default one. */
void import_port(struct import_entry *entry, const char *port);

/* A URL as an entry: its keys, without those parameters that broker does not know. Refuses the entry itself
 * if that does not help. */
void import_url(struct import_list *list, const char *label, const char *url);

/* The next line, without LF or CRLF and blanks at its ends; NULL at the end. `*at` starts at the text. */
char *line_next(char **at);

/* One format: whether the text looks like it, and its reader. */
struct import_format {
    const char *name;
    bool (*is_it)(const char *text, size_t n);
    int (*read)(const char *path, struct buf *text, struct import_list *list, struct err *e);
};
extern const struct import_format import_urls, import_mycli, import_usql, import_option_file, import_heidisql,
    import_plist, import_workbench, import_datagrip, import_dbeaver, import_mylogin;

/* Reads option groups as MySQL's clients do. `each_group`: every group is a connection (login paths), not
 * only the suffixes of [client] and [mysql]. */
void option_groups(struct buf *text, bool each_group, struct import_list *list);

#endif
