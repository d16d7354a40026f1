/* SPDX-License-Identifier: MIT */
/* The client plug-ins that a MariaDB client may load where TLS is not verified. */
#ifndef SESSION_PLUGINS_H
#define SESSION_PLUGINS_H

#include <base/err.h>

/*
 * A folder with links to the client's plug-ins, except those that reveal the password; malloced path. It is
 * made once, in the runtime folder. ERR_CONFIG, ERR_IO.
 */
int plugins_restricted(char **out, struct err *e);

#endif
