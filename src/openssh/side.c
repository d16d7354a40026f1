/* SPDX-License-Identifier: MIT */
/* Packets outside the streams. They are optional: a packet that cannot be sent at once is dropped. */
#include "side.h"

#include <stdbool.h>
#include <string.h>

#include <base/clock.h>
#include <event/loop.h>

#include "mux.h"

#define OPEN_MS 10000
#define NUDGE_LEAST_MS 1 /* each pause is twice as long as the previous one */
#define NUDGE_MOST_MS 64

static struct {
    struct mux *mux;
    bool granted;
    int64_t pause; /* pause before the next packet */
    struct timer nudge, late;
    void (*silent)(void);
} side;

static void answered(void *context, enum mux_answer answer, const char *words)
{
    (void)context;
    (void)words;
    if (answer != MUX_YES) {
        side.mux = NULL;
        return;
    }
    side.granted = true;
}

/* Every packet comes from the SSH server. */
static void heard(void *context)
{
    (void)context;
    timer_clear(&side.late);
}

static void ended(void *context)
{
    (void)context;
    side.mux = NULL;
    side_close();
}

void side_open(const char *control)
{
    static const struct mux_use use = {.answered = answered, .heard = heard, .ended = ended};
    struct buf request = BUF_INIT(64);

    side_close();
    mux_put_bare(&request, MUX_PROXY);
    side.mux = mux_ask(control, &request, NULL, 0, clock_deadline(OPEN_MS, CLOCK_NEVER), &use, NULL);
}

void side_nudge_now(void)
{
    AUTO_BUF(packet, 64);

    if (!side.granted)
        return;
    mux_put_ignore(&packet);
    (void)mux_send(side.mux, &packet);
}

static void nudge(struct timer *t)
{
    side_nudge_now();
    side.pause *= 2;
    if (side.pause <= NUDGE_MOST_MS)
        timer_set(t, clock_ms() + side.pause, nudge);
}

void side_nudge(void)
{
    side.pause = NUDGE_LEAST_MS;
    timer_set(&side.nudge, clock_ms() + side.pause, nudge);
}

static void side_is_late(struct timer *t)
{
    (void)t;
    side.silent();
}

void side_ask(int64_t deadline, void (*silent)(void))
{
    AUTO_BUF(packet, 128);

    if (!side.granted || side.late.set)
        return;
    mux_put_question(&packet);
    if (!mux_send(side.mux, &packet))
        return;
    side.silent = silent;
    timer_set(&side.late, deadline, side_is_late);
}

void side_close(void)
{
    timer_clear(&side.nudge);
    timer_clear(&side.late);
    side.granted = false;
    if (side.mux)
        mux_stop(side.mux);
    side.mux = NULL;
}
