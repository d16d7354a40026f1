/* SPDX-License-Identifier: MIT */
/* Connects TCP and unix sockets without blocking. Names are resolved in a child process (resolution has no
 * deadline and cannot be interrupted). Addresses are tried one after another, with a head start for the first
 * (RFC 8305). */
#ifndef EVENT_DIAL_H
#define EVENT_DIAL_H

#include <stdint.h>

#include <base/err.h>

struct dialling;

/* Connects to `path`, or to `host` and `port`. done() gets a connected, non-blocking descriptor with
 * TCP_NODELAY, or -1 and an error that begins with 2003, 2005 or 2013 and contains HOST:PORT or the path. It
 * is called once, never before dial_start() returns. `context` is passed to done(). */
struct dialling *dial_start(const char *path, const char *host, unsigned port, int64_t deadline,
                            void (*done)(void *context, int fd, const struct err *e), void *context);
/* Cancels the dial; done() is not called any more. */
void dial_cancel(struct dialling *d);

#endif
