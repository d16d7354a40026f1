/* SPDX-License-Identifier: MIT */
/* Connections of clients: from accept to the end, one struct each. */
#ifndef KEEPER_CONN_H
#define KEEPER_CONN_H

#include <ipc/keeper.h>

/* Serves an accepted, non-blocking descriptor, of which it takes ownership, by the listener's kind. */
void conn_serve(int fd, enum keeper_end kind);
/* The number of open connections. */
unsigned conn_count(void);
/* Ends all. */
void conn_end_all(void);
/* Called whenever one has ended (for draining); may be NULL. */
extern void (*conn_on_end)(void);

#endif
