/* SPDX-License-Identifier: MIT */
/* Checks the route to a server: whether its name resolves, and whether its port answers. */
#ifndef SESSION_WALK_H
#define SESSION_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <output/connection.h>

/*
 * Returns 0 if the route works. ERR_UNREACHABLE with the reason ("no such host", "connection refused"). With
 * `dial`, also connects and hangs up at once; use that only after a client has failed, because the server
 * counts an unanswered greeting against this host.
 */
int route_walk(const struct connection *c, bool dial, int64_t deadline, struct err *e);

#endif
