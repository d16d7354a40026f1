/* SPDX-License-Identifier: MIT */
/* Vault paths, as in a config and as in a URL. */
#ifndef VAULT_PATH_H
#define VAULT_PATH_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>

/*
 * Removes leading and trailing slashes and spaces; *out is malloced. Fails with ERR_CONFIG, naming `key`, if
 * a part is empty, `.` or `..`, or if a byte is outside 0x20 to 0x7e.
 */
int vault_path_take(const char *key, const char *value, char **out, struct err *e);

/* Appends the path with its parts percent-encoded, but not the slashes. */
void vault_path_encode(struct buf *out, const char *path);

/* Returns the role in MOUNT/creds/ROLE or MOUNT/static-creds/ROLE; NULL if the path is only a mount. */
const char *vault_path_role(const char *path);
bool vault_path_is_static(const char *path);
/* Returns the length of the mount, which is the part before /creds/ROLE, or else the whole path. */
int vault_path_mount_length(const char *path);

#endif
