/* SPDX-License-Identifier: MIT */
/* Decides when a tunnel that is down may be started again: at the next connection, but not during a pause
 * that is doubled each time. */
#ifndef TUNNEL_RESTART_H
#define TUNNEL_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>

#define RESTART_LEAST_MS 500
#define RESTART_MOST_MS 30000

/* All zero: the tunnel was never started. */
struct restart {
    int64_t from, pause; /* the pause begins at `from`, a clock_ms() value */
    struct err why;      /* why the tunnel is down */
};

/* Begins the next pause now, twice as long as the previous one. */
void restart_pause(struct restart *r);
/* Must be called when a tunnel that was up is lost: stores the reason and logs it. If the tunnel was up for
 * long, the next start needs no pause. Use this only if the pause begins with the start. */
void restart_lost(struct restart *r, const struct err *e);
/* Returns whether there is a pause now; then *e gets the reason, and the time from which a connection starts
 * the tunnel again. `e` may be NULL. */
bool restart_waits(const struct restart *r, struct err *e);

#endif
