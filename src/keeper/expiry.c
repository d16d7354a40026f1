/* SPDX-License-Identifier: MIT */
/*
 * Vault drops its database user even while the user is connected, so the end of a session is announced.
 * broker sends the time of expiry once it has the credential; the keeper does not need the credential for
 * this.
 */
#include "expiry.h"

#include <base/buf.h>
#include <base/clock.h>
#include <base/log.h>
#include <event/wall_timer.h>

#define AHEAD_MS (5 * 60 * 1000)

static struct wall_timer timer;
static time_t ends_at;

static int64_t left_ms(void)
{
    int64_t left = ((int64_t)ends_at - (int64_t)time(NULL)) * 1000;

    return left > 0 ? left : 0;
}

static void warn(struct wall_timer *t)
{
    AUTO_BUF(left, 64);

    (void)t;
    clock_format_duration(&left, left_ms());
    log_warn("connect again to get a new one", "the credential expires in %s", buf_str(&left));
}

void expiry_watch(time_t expires_at)
{
    ends_at = expires_at;
    wall_timer_set(&timer, left_ms() > AHEAD_MS ? left_ms() - AHEAD_MS : 0, warn);
}
