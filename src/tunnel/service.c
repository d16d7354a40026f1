/* SPDX-License-Identifier: MIT */
/* The queue is served in rounds: a connection that is added during a round waits for the next one. */
#include <tunnel/service.h>

#include <stddef.h>

#include <base/log.h>

static void service_start(struct tunnel_service *s)
{
    s->state = SERVICE_STARTING;
    restart_pause(&s->restart);
    s->start();
}

static void serve(struct tunnel_service *s, const struct err *e)
{
    unsigned round = s->round++;
    struct waiter *w;

    while ((w = TAILQ_FIRST(&s->waiters)) && w->round == round) {
        (void)service_cancel(s, w);
        w->go(w, e);
    }
}

static bool is_refused(const struct tunnel_service *s, struct err *e)
{
    return (s->never_again && s->never_again(e)) || restart_waits(&s->restart, e);
}

void service_open(struct tunnel_service *s, const struct target *target, void (*opened)(const struct err *e))
{
    s->target = target;
    s->opened = opened;
    TAILQ_INIT(&s->waiters);
    service_start(s);
}

void service_await(struct tunnel_service *s, struct waiter *w)
{
    if (s->state == SERVICE_UP)
        w->go(w, NULL);
    else
        service_await_next(s, w);
}

void service_await_next(struct tunnel_service *s, struct waiter *w)
{
    struct err e = ERR_INIT;

    if (s->state == SERVICE_DOWN && is_refused(s, &e)) {
        w->go(w, &e);
        return;
    }
    w->waits = true;
    w->round = s->round;
    TAILQ_INSERT_TAIL(&s->waiters, w, next);
    if (s->state == SERVICE_DOWN)
        service_start(s);
}

bool service_cancel(struct tunnel_service *s, struct waiter *w)
{
    if (!w->waits)
        return false;
    w->waits = false;
    TAILQ_REMOVE(&s->waiters, w, next);
    return true;
}

void service_settled(struct tunnel_service *s, const struct err *e)
{
    void (*opened)(const struct err *) = s->opened;

    s->state = e ? SERVICE_DOWN : SERVICE_UP;
    if (e)
        err_copy(&s->restart.why, e);
    if (e && s->target->ready)
        log_warn(NULL, "%s", e->msg);
    s->opened = NULL;
    if (opened)
        opened(e);
    serve(s, e);
}

void service_lost(struct tunnel_service *s, const struct err *e)
{
    struct err refused = ERR_INIT;

    s->state = SERVICE_DOWN;
    restart_lost(&s->restart, e);
    if (TAILQ_EMPTY(&s->waiters))
        return;
    if (is_refused(s, &refused))
        serve(s, &refused);
    else
        service_start(s);
}
