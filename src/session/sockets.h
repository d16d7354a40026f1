/* SPDX-License-Identifier: MIT */
/* Finding the local server's socket by connecting. */
#ifndef SESSION_SOCKETS_H
#define SESSION_SOCKETS_H

#include <base/err.h>

/* The first socket that answers, malloced; ERR_UNREACHABLE with one detail line for each path tried. */
int socket_discover(const char *profile_name, char **out, struct err *e);
/* 0, or the errno of connecting to that socket. */
int socket_try(const char *path);

#endif
