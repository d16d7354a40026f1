/* SPDX-License-Identifier: MIT */
/* A look at the route by ourselves: does the name resolve, does the port answer. */
#ifndef SESSION_WALK_H
#define SESSION_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <output/connection.h>

/*
 * 0: the route is there. ERR_UNREACHABLE with the reason ("no such host", "connection refused"). With `dial`
 * also connects and hangs up at once; only after a client has failed, because a greeting left unanswered
 * counts against this host.
 */
int route_walk(const struct connection *c, bool dial, int64_t deadline, struct err *e);

#endif
