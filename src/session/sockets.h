/* SPDX-License-Identifier: MIT */
/* Finds the local server's socket by connecting. */
#ifndef SESSION_SOCKETS_H
#define SESSION_SOCKETS_H

#include <base/err.h>

/* Gets the path of the first socket that answers, malloced. ERR_UNREACHABLE, with one detail line for each
 * path tried. */
int socket_discover(const char *profile_name, char **out, struct err *e);
/* Connects to the socket. Returns 0, or the errno of connect(2). */
int socket_try(const char *path);

#endif
