/* SPDX-License-Identifier: MIT */
/* Paths of Vault as they are written in a config, and as they stand in a URL. */
#ifndef VAULT_PATH_H
#define VAULT_PATH_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>

/*
 * Drops slashes and blanks at the ends; malloced. ERR_CONFIG, naming `key`, for a part that is empty, `.` or
 * `..`, and for bytes outside 0x20 to 0x7e: what is sent is what is written.
 */
int vault_path_take(const char *key, const char *value, char **out, struct err *e);

/* Appends each part percent-encoded, and the slashes between them. */
void vault_path_encode(struct buf *out, const char *path);

/* Where the role begins in MOUNT/creds/ROLE or MOUNT/static-creds/ROLE; NULL: the path names only a mount. */
const char *vault_path_role(const char *path);
bool vault_path_is_static(const char *path);
/* How long the mount is in front of /creds/ROLE, or of the whole. */
int vault_path_mount_length(const char *path);

#endif
