/* SPDX-License-Identifier: MIT */
/* Tells whether a process listens on this machine, without connecting to it: a database counts connections
 * that send nothing as errors, and a tunnel may accept only one connection. */
#ifndef BASE_LISTENING_H
#define BASE_LISTENING_H

#include <stdbool.h>

/*
 * Returns true if a process listens on the TCP port. `host` is the listening address, or NULL for any. With
 * `ours`, only sockets of this user or root count. If found, *at is the address to connect to (static):
 * `host`, or the loopback address of the same family.
 */
bool listening_tcp(const char *host, unsigned port, bool ours, const char **at);
/* Returns true if a process listens on the unix socket `path`. If the program bound it by another path, the
 * last component must match. */
bool listening_unix(const char *path);

/* Check one line of the kernel's table; for the tests. Return false if it is not a matching listener. */
bool listening_tcp_line(const char *line, const char *host, unsigned port, bool ours, const char **at);
bool listening_unix_line(const char *line, const char *path);

#endif
