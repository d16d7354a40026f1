/* SPDX-License-Identifier: MIT */
/* Listening sockets: those with a path, and what is the same for all: a moment's rest when none can be
 * accepted. */
#ifndef EVENT_LISTEN_H
#define EVENT_LISTEN_H

#include <base/err.h>
#include <event/loop.h>

#define LISTEN_BACKLOG 4096

/* Listens on a unix socket, mode 0600, which ends with the keeper (guard_owns_path()), and is never put in
 * the place of something that is there. -1 with ERR_UNREACHABLE. */
int listen_unix(const char *path, struct err *e);

/* Stops polling a watch for 100 ms, so that a listener that cannot accept does not spin. */
struct pause {
    struct timer timer; /* timer_clear() forgets it */
    struct watch *watch;
};
void listen_pause(struct pause *p, struct watch *w);

#endif
