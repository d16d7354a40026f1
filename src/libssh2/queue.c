/* SPDX-License-Identifier: MIT */
/*
 * The queue of connections waiting to be opened, for all sessions. Each has its own deadline; if its session
 * is lost meanwhile, it is tried once more in another session.
 */
#include "channel.h"
#include "pool.h"

#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>

#define IMPATIENT_MS 50 /* one more session is opened if a connection waits this long */

static TAILQ_HEAD(, channel) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct timer impatience;

static void refuse(struct channel *c, const struct err *e)
{
    struct handoff *h = c->handoff;

    timer_clear(&c->patience);
    free(c);
    if (h) {
        h->state = NULL;
        h->taken(h, e);
    }
}

void queue_refuse_all(const struct err *e)
{
    struct err copy = *e;
    struct channel *c;

    while ((c = TAILQ_FIRST(&waiting))) {
        TAILQ_REMOVE(&waiting, c, next);
        refuse(c, &copy);
    }
}

static void impatient(struct timer *t)
{
    if (TAILQ_EMPTY(&waiting))
        return;
    pool_start_another();
    timer_set(t, clock_ms() + IMPATIENT_MS, impatient);
}

void queue_assign(void)
{
    struct ssh_session *s;
    struct channel *c;

    while ((c = TAILQ_FIRST(&waiting)) && (s = pool_least_busy())) {
        TAILQ_REMOVE(&waiting, c, next);
        s->busy = true;
        if (open_start(s, c, pool_large()) < 0)
            session_end(s, NULL);
    }
    if (c && !impatience.set)
        timer_set(&impatience, clock_ms() + IMPATIENT_MS, impatient);
}

static void opened(struct channel *c, const struct err *e)
{
    struct handoff *h = c->handoff;

    timer_clear(&c->patience);
    if (e) {
        refuse(c, e);
    } else if (h) {
        h->taken(h, NULL); /* the owner gives up the descriptor */
        if (c->handoff)
            channel_watch(c);
        c->session->busy = true;
    }
    queue_assign();
}

static void not_opened(struct timer *t)
{
    struct channel *c = OWNER_OF(t, struct channel, patience);
    struct ssh_session *s = c->session;
    struct handoff *h = c->handoff;
    struct err e = ERR_INIT;

    if (!s && pool_is_full()) {
        (void)err_set_numbered(&e, ERR_TRY_LATER, 2003,
                               "%s: %zu connections are open over %s, which has no memory for more",
                               target_name(pool.settings->target), pool_channels(), ssh_who(pool.settings));
        (void)err_hint(&e, "start another forward, or use fewer connections");
    } else {
        ssh_silent_stream(pool.settings, &e);
    }
    if (!s) {
        TAILQ_REMOVE(&waiting, c, next);
        refuse(c, &e);
        return;
    }
    /* The slot stays occupied until the server answers; others are opened in another session, if possible. */
    c->handoff = NULL;
    c->closing = true;
    h->state = NULL;
    session_doubt(s);
    h->taken(h, &e);
}

void queue_handoff(struct handoff *h)
{
    struct channel *c = mem_alloc(1, sizeof *c);
    int64_t patience = pool.settings->target->connect_timeout;
    struct err e = ERR_INIT;

    pool_check_sleep();
    *c = (struct channel){.handoff = h, .opened = opened, .local = {.fd = -1}};
    h->state = c;
    if (!pool_log_in_again(&e)) {
        refuse(c, &e);
        return;
    }
    if (!pool_is_up()) /* a login may come first, which has its own deadline */
        patience += pool.settings->connect_timeout;
    timer_set(&c->patience, clock_ms() + patience, not_opened);
    TAILQ_INSERT_TAIL(&waiting, c, next);
    queue_assign();
}

void queue_cancel(struct handoff *h)
{
    struct channel *c = h->state;

    if (!c)
        return;
    h->state = NULL;
    timer_clear(&c->patience);
    c->handoff = NULL;
    c->closing = true;
    if (!c->session) {
        TAILQ_REMOVE(&waiting, c, next);
        free(c);
        return;
    }
    if (c->session->opening != c) {
        loop_forget(&c->local);
        (void)close(h->fd);
        h->fd = -1;
    }
    c->session->busy = true;
}

bool queue_heard(struct handoff *h)
{
    const struct channel *c = h->state;

    return c->heard;
}

void queue_take_back(struct ssh_session *s, const struct err *why)
{
    struct channel *c = s->opening;

    s->opening = NULL;
    if (!c)
        return;
    c->session = NULL;
    if (c->drives || !c->handoff) {
        timer_clear(&c->patience);
        free(c);
    } else if (c->tried) {
        refuse(c, why);
    } else {
        c->tried = true;
        TAILQ_INSERT_HEAD(&waiting, c, next);
    }
}

bool queue_waits(void)
{
    return !TAILQ_EMPTY(&waiting);
}

void queue_close(void)
{
    timer_clear(&impatience);
}
