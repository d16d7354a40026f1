/* SPDX-License-Identifier: MIT */
/* Whether somebody listens on this machine, without connecting: a database counts connections that say
 * nothing, and a tunnel's program may serve only one. */
#ifndef BASE_LISTENING_H
#define BASE_LISTENING_H

#include <stdbool.h>

/*
 * `host`: an address that is listened at, or NULL: any of this machine. `ours`: only who is this user or root
 * counts. Where somebody listens, *at is what to dial (static): the host, or the loopback address of the
 * family.
 */
bool listening_tcp(const char *host, unsigned port, bool ours, const char **at);
/* A unix socket of that path (its last component, where the program wrote it in another way). */
bool listening_unix(const char *path);

/* One line of the system's table; for the tests. False: it is no listener on that port. */
bool listening_tcp_line(const char *line, const char *host, unsigned port, bool ours, const char **at);
bool listening_unix_line(const char *line, const char *path);

#endif
