/* SPDX-License-Identifier: MIT */
/*
 * The event loop, using epoll(7). Timers are a sorted list, searched from its end, because nearly all new
 * timers are the latest. There are no threads, and signals arrive through a pipe (keeper/shutdown.c).
 */
#include <event/loop.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/err.h>
#include <base/log.h>

#define EVENTS_MOST 128

static struct {
    int epoll;                             /* 0: not created yet; descriptors 0 to 2 are always open */
    struct epoll_event event[EVENTS_MOST]; /* the events of this iteration */
    int count;
    TAILQ_HEAD(timers, timer) waiting, due;
    bool (*each_turn)(void);
} loop = {.waiting = TAILQ_HEAD_INITIALIZER(loop.waiting), .due = TAILQ_HEAD_INITIALIZER(loop.due)};

static int epoll_fd(void)
{
    if (loop.epoll == 0)
        loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    return loop.epoll;
}

static void control(struct watch *w, int operation)
{
    struct epoll_event event = {.data.ptr = w};

    event.events = (w->wanted & LOOP_READ ? EPOLLIN : 0u) | (w->wanted & LOOP_WRITE ? EPOLLOUT : 0u);
    if (epoll_ctl(epoll_fd(), operation, w->fd, &event) == 0 || operation == EPOLL_CTL_DEL)
        return;
    /* If a watch were lost without an error, a connection would hang. */
    log_warn(NULL, "cannot watch descriptor %d: %s", w->fd, strerror(errno));
    err_out_of_memory();
}

void loop_want(struct watch *w, unsigned wanted)
{
    if (w->fd < 0 || w->wanted == wanted)
        return;
    w->wanted = wanted;
    /* epoll reports hang-ups even if no events are wanted, and would use all CPU time, so the watch is
     * removed then. */
    if (wanted)
        control(w, w->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
    else
        control(w, EPOLL_CTL_DEL);
    w->added = wanted != 0;
}

void loop_watch(struct watch *w, int fd, unsigned wanted, void (*ready)(struct watch *w, unsigned events))
{
    loop_forget(w);
    w->fd = fd;
    w->ready = ready;
    loop_want(w, wanted);
}

void loop_forget(struct watch *w)
{
    if (w->added)
        control(w, EPOLL_CTL_DEL);
    for (int i = 0; i < loop.count; i++) {
        if (loop.event[i].data.ptr == w)
            loop.event[i].data.ptr = NULL;
    }
    w->added = false;
    w->wanted = 0;
    w->fd = -1;
}

void loop_close(struct watch *w)
{
    int fd = w->fd;

    loop_forget(w);
    if (fd >= 0)
        (void)close(fd);
}

void timer_clear(struct timer *t)
{
    if (t->set)
        TAILQ_REMOVE(t->due ? &loop.due : &loop.waiting, t, next);
    t->set = t->due = false;
}

void timer_set(struct timer *t, int64_t at, void (*fire)(struct timer *t))
{
    struct timer *before;

    timer_clear(t);
    t->at = at;
    t->fire = fire;
    t->set = true;
    TAILQ_FOREACH_REVERSE(before, &loop.waiting, timers, next)
    {
        if (before->at <= at)
            break;
    }
    if (before)
        TAILQ_INSERT_AFTER(&loop.waiting, before, t, next);
    else
        TAILQ_INSERT_HEAD(&loop.waiting, t, next);
}

/* In two steps, so that a timer that sets itself again to the current time waits for the next iteration. */
static void fire_timers(void)
{
    int64_t now = clock_ms();
    struct timer *t;

    while ((t = TAILQ_FIRST(&loop.waiting)) && t->at <= now) {
        TAILQ_REMOVE(&loop.waiting, t, next);
        TAILQ_INSERT_TAIL(&loop.due, t, next);
        t->due = true;
    }
    while ((t = TAILQ_FIRST(&loop.due))) {
        timer_clear(t);
        t->fire(t);
    }
}

void loop_each_turn(bool (*run)(void))
{
    loop.each_turn = run;
}

static void dispatch(const struct epoll_event *event)
{
    struct watch *w = event->data.ptr;
    unsigned events;

    if (!w || !w->wanted)
        return;
    if (event->events & (EPOLLHUP | EPOLLERR))
        events = LOOP_READ | LOOP_WRITE;
    else
        events = w->wanted &
                 ((event->events & EPOLLIN ? LOOP_READ : 0u) | (event->events & EPOLLOUT ? LOOP_WRITE : 0u));
    if (events)
        w->ready(w, events);
}

/* Work that was added before the loop is done before the first wait. */
static void turn(void)
{
    bool again = loop.each_turn && loop.each_turn();
    const struct timer *first = TAILQ_FIRST(&loop.waiting);
    int wait = again ? 0 : first ? clock_left(first->at) : -1;

    loop.count = epoll_wait(epoll_fd(), loop.event, EVENTS_MOST, wait);
    for (int i = 0; i < loop.count; i++)
        dispatch(&loop.event[i]);
    loop.count = 0;
    fire_timers();
}

void loop_until(const bool *done)
{
    while (!*done)
        turn();
}

_Noreturn void loop_run(void)
{
    for (;;)
        turn();
}
