/* SPDX-License-Identifier: MIT */
/* When a tunnel that is down may be started again: at the next connection, but not within a pause that is
 * doubled each time. */
#ifndef TUNNEL_RESTART_H
#define TUNNEL_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>

#define RESTART_LEAST_MS 500
#define RESTART_MOST_MS 30000

/* Zero: it was never started. */
struct restart {
    int64_t from, pause; /* the pause begins at `from`, a clock_ms() */
    struct err why;      /* it is down */
};

/* The next pause begins now, twice as long as the one before. */
void restart_pause(struct restart *r);
/* It was up and is lost: keeps the reason and logs it. If it was up for long, the next start needs no pause.
 * Only where the pause begins with the start. */
void restart_lost(struct restart *r, const struct err *e);
/* During a pause: *e gets the reason, and when a connection starts it again (may be
 * NULL). */
bool restart_waits(const struct restart *r, struct err *e);

#endif
