/* SPDX-License-Identifier: MIT */
/* Schedules work for sessions, once per iteration of the loop (engine.c). */
#include "parts.h"

#include <base/clock.h>

static struct timer again;
static bool goes_on;

static void nothing(struct timer *t)
{
    (void)t;
}

void turn_again(void)
{
    timer_set(&again, clock_ms(), nothing);
}

void session_wake(struct session *s)
{
    s->busy = true;
    if (goes_on)
        turn_again();
}

void turn_goes_on(bool does)
{
    goes_on = does;
}

void turn_close(void)
{
    timer_clear(&again);
}
