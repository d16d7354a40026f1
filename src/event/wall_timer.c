/* SPDX-License-Identifier: MIT */
/* Checks the wall clock every LOOK_MS: a timer of the kernel would do that by itself, but a test could not
 * move its clock. */
#include <event/wall_timer.h>

#include <stddef.h>
#include <time.h>

#include <base/clock.h>

#define LOOK_MS 10000

static int64_t wall_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void look(struct timer *timer)
{
    struct wall_timer *t = OWNER_OF(timer, struct wall_timer, timer);
    int64_t now = clock_ms(), left = t->at - now, wall_left = t->wall_at - wall_ms();

    if (wall_left < left)
        left = wall_left;
    if (left <= 0)
        t->fire(t);
    else
        timer_set(timer, now + (left < LOOK_MS ? left : LOOK_MS), look);
}

void wall_timer_set(struct wall_timer *t, int64_t ms, void (*fire)(struct wall_timer *t))
{
    t->at = clock_later(clock_ms(), ms);
    t->wall_at = clock_later(wall_ms(), ms);
    t->fire = fire;
    timer_set(&t->timer, clock_deadline(ms < LOOK_MS ? ms : LOOK_MS, t->at), look);
}

void wall_timer_clear(struct wall_timer *t)
{
    timer_clear(&t->timer);
}
