/* SPDX-License-Identifier: MIT */
/* Restricts the plug-ins that a MariaDB client may load if TLS is not verified. */
#ifndef SESSION_PLUGINS_H
#define SESSION_PLUGINS_H

#include <base/err.h>

/* Makes a folder in the runtime folder, once, with links to the client's plug-ins except those that reveal
 * the password. *out is its path, malloced. ERR_CONFIG, ERR_IO. */
int plugins_restricted(char **out, struct err *e);

#endif
