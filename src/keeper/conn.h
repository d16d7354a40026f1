/* SPDX-License-Identifier: MIT */
/* Connections of clients: from accept to the end, one struct each. */
#ifndef KEEPER_CONN_H
#define KEEPER_CONN_H

#include <stdbool.h>

#include <ipc/keeper.h>

/* Serves an accepted, non-blocking descriptor, of which it takes ownership, by the listener's kind. */
void conn_serve(int fd, enum listener_kind kind);
/* The number of open connections. */
unsigned conn_count(void);
/* Ends all. */
void conn_end_all(void);
/* The number of those that the keeper has logged in. */
unsigned conn_sessions(void);
/* Called whenever one has ended (for draining); may be NULL. */
extern void (*conn_on_end)(void);
/* Whether another connection of that kind may be accepted now: too many may be waiting to prove that they may
 * log in. conn_on_room(), which may be NULL, is called once it may. */
bool conn_has_room(enum listener_kind kind);
extern void (*conn_on_room)(void);

#endif
