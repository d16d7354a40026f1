/* SPDX-License-Identifier: MIT */
#include <tunnel/restart.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/log.h>

void restart_pause(struct restart *r)
{
    r->from = clock_ms();
    r->pause = r->pause ? r->pause * 2 : RESTART_LEAST_MS;
    if (r->pause > RESTART_MOST_MS)
        r->pause = RESTART_MOST_MS;
}

void restart_lost(struct restart *r, const struct err *e)
{
    err_copy(&r->why, e);
    log_warn(NULL, "%s", e->msg);
    if (clock_ms() - r->from > RESTART_MOST_MS)
        r->pause = 0;
}

bool restart_waits(const struct restart *r, struct err *e)
{
    int64_t left = r->from + r->pause - clock_ms();
    AUTO_BUF(time, 32);

    if (left <= 0 || !e)
        return left > 0;
    err_copy(e, &r->why);
    clock_format_duration(&time, left);
    (void)err_hint(e, "a connection after %s starts it again", buf_str(&time));
    return true;
}
