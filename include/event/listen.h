/* SPDX-License-Identifier: MIT */
/* Listening unix sockets, and a short pause for any listener that cannot accept. */
#ifndef EVENT_LISTEN_H
#define EVENT_LISTEN_H

#include <base/err.h>
#include <event/loop.h>

#define LISTEN_BACKLOG 4096

/* Listens on a unix socket with mode 0600. It is removed when the keeper ends (guard_owns_path()), and never
 * replaces an existing file. Returns the descriptor, or -1 with ERR_UNREACHABLE. */
int listen_unix(const char *path, struct err *e);

/* Stops polling a watch for 100 ms, so that a listener that cannot accept does not use all CPU time. */
struct pause {
    struct timer timer; /* timer_clear() cancels the pause */
    struct watch *watch;
};
void listen_pause(struct pause *p, struct watch *w);

#endif
