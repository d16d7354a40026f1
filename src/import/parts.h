/* SPDX-License-Identifier: MIT */
/* What the readers of the import formats share. */
#ifndef IMPORT_PARTS_H
#define IMPORT_PARTS_H

#include <import/import.h>

/* Adds an entry; `label` may be NULL. Returns NULL, with a note in `skipped`, if there are IMPORT_ENTRIES
 * already. The pointer is valid until the next entry is added. */
struct import_entry *import_add(struct import_list *list, const char *label);
/* Removes the newest entry and notes why. */
void import_refuse(struct import_list *list, const char *why);
/* Notes a connection, or a part of the file, that was not imported. */
void import_skip(struct import_list *list, const char *what, const char *why);
/* Notes a part of an entry that was not imported. */
void import_leave(struct import_entry *entry, const char *what, const char *why);

/* Set a key to a value as in the config file. NULL and "" are ignored. A value that broker would refuse is
 * left out and the reason noted. */
void import_put(struct import_entry *entry, enum key k, const char *value);
void import_put_tunnel(struct import_entry *entry, enum tunnel_key k, const char *value);
/* Copies the password; "" means none. */
void import_password(struct import_entry *entry, const char *bytes, size_t n);
/* Sets the TLS level that the file states. */
void import_tls(struct import_entry *entry, const char *level);
/* Sets the port, unless it is empty, "0" or the default. */
void import_port(struct import_entry *entry, const char *port);

/* Adds a URL as an entry, without parameters that broker does not know. If it is still not valid, notes it as
 * not imported. */
void import_url(struct import_list *list, const char *label, const char *url);

/* Returns the next line without its line end and surrounding spaces; NULL at the end. `*at` starts as the
 * text. */
char *line_next(char **at);

/* One format: a function that recognises its text, and its reader. */
struct import_format {
    const char *name;
    bool (*is_it)(const char *text, size_t n);
    int (*read)(const char *path, struct buf *text, struct import_list *list, struct err *e);
};
extern const struct import_format import_urls, import_mycli, import_usql, import_option_file, import_heidisql,
    import_plist, import_workbench, import_datagrip, import_dbeaver, import_mylogin;

/* Reads option groups as MySQL's clients do. With `each_group`, every group is a connection (login paths);
 * otherwise only [client], and suffixes of [client] and [mysql]. */
void option_groups(struct buf *text, bool each_group, struct import_list *list);

#endif
