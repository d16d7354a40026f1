/* SPDX-License-Identifier: MIT */
/* A timer for a moment of the wall clock, at which something expires. The loop's timers stand still while the
 * machine is suspended; this one fires at most some seconds after the machine has woken up. */
#ifndef EVENT_WALL_TIMER_H
#define EVENT_WALL_TIMER_H

#include <stdint.h>

#include <event/loop.h>

/* Must be zeroed before its first use. */
struct wall_timer {
    struct timer timer;
    int64_t at, wall_at; /* the moment, as a clock_ms() time and in ms since 1970 */
    void (*fire)(struct wall_timer *t);
};
/* Fires `ms` from now, or earlier if the wall clock gets there earlier. Replaces an earlier time. */
void wall_timer_set(struct wall_timer *t, int64_t ms, void (*fire)(struct wall_timer *t));
void wall_timer_clear(struct wall_timer *t);

#endif
