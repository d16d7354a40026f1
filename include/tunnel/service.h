/* SPDX-License-Identifier: MIT */
/* What a tunnel runs (a program, an ssh), started anew for the next connection once it is down; and the
 * connections that wait until it is up. */
#ifndef TUNNEL_SERVICE_H
#define TUNNEL_SERVICE_H

#include <stdbool.h>
#include <sys/queue.h>

#include <base/err.h>
#include <tunnel/restart.h>
#include <tunnel/target.h>

/* A connection that may have to wait. Embedded in its owner's struct. */
struct waiter {
    TAILQ_ENTRY(waiter) next;
    bool waits;
    unsigned round;
    /* Called once, perhaps at once: it is up (NULL), or why it is not. */
    void (*go)(struct waiter *w, const struct err *e);
};
TAILQ_HEAD(waiters, waiter);

/* Zeroed before service_open(), but for the first two. */
struct tunnel_service {
    void (*start)(void);                /* service_settled() follows, perhaps at once */
    bool (*never_again)(struct err *e); /* whether it cannot be started again, and why; NULL: it always can */
    const struct target *target;
    void (*opened)(const struct err *e);
    enum { SERVICE_DOWN, SERVICE_STARTING, SERVICE_UP } state;
    struct restart restart;
    struct waiters waiters;
    unsigned round;
};

/* Starts it for the first time; opened(), once: it is up (NULL), or why not. */
void service_open(struct tunnel_service *s, const struct target *target, void (*opened)(const struct err *e));
/* w->go(), once it is up; starts it if it is down, but not within the pause: then w->go() gets the reason. */
void service_await(struct tunnel_service *s, struct waiter *w);
/* The same, but if it is up, w waits for the next start. */
void service_await_next(struct tunnel_service *s, struct waiter *w);
/* w waits no more. False: it did not wait. */
bool service_cancel(struct tunnel_service *s, struct waiter *w);
/* What its start came to. */
void service_settled(struct tunnel_service *s, const struct err *e);
/* It was up and has ended. It is started again if somebody waits. */
void service_lost(struct tunnel_service *s, const struct err *e);

#endif
