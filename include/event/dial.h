/* SPDX-License-Identifier: MIT */
/* TCP and unix sockets, connected without blocking: names are resolved in a child process (resolution has no
 * deadline and cannot be interrupted), addresses are tried one after another with a head start for the first
 * (RFC 8305). */
#ifndef EVENT_DIAL_H
#define EVENT_DIAL_H

#include <stdint.h>

#include <base/err.h>

struct dialling;

/* `path` or `host` and `port`. done() gets a connected, non-blocking descriptor with TCP_NODELAY, or -1 and
 * an error that begins with 2003, 2005 or 2013 and names HOST:PORT or the path. `context` is handed back. */
struct dialling *dial_start(const char *path, const char *host, unsigned port, int64_t deadline,
                            void (*done)(void *context, int fd, const struct err *e), void *context);
/* Calls no callback any more. */
void dial_cancel(struct dialling *d);

#endif
