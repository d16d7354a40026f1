/* SPDX-License-Identifier: MIT */
/* The connections of clients, from accept to the end. */
#ifndef KEEPER_CONN_H
#define KEEPER_CONN_H

#include <stdbool.h>

#include <ipc/keeper.h>

/* Serves an accepted, non-blocking descriptor according to the kind of its listener. ours: whatever the kind,
 * only if it belongs to a process of the same user. Takes ownership of `fd`. */
void conn_serve(int fd, enum listener_kind kind, bool ours);
/* Returns the number of open connections. */
unsigned conn_count(void);
/* Ends all connections. */
void conn_end_all(void);
/* Returns the number of connections that the keeper has logged in. */
unsigned conn_sessions(void);
/* Called when a connection has ended (for draining); may be NULL. */
extern void (*conn_on_end)(void);
/* Returns whether another connection of this kind may be accepted now: too many may be waiting to prove that
 * they may log in. If it returns false, conn_on_room(), which may be NULL, is called when a connection may be
 * accepted again. */
bool conn_has_room(enum listener_kind kind);
extern void (*conn_on_room)(void);

#endif
