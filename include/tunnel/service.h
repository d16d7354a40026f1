/* SPDX-License-Identifier: MIT */
/* The process that a tunnel runs (a program or ssh), which the next connection starts again once it is down;
 * and the connections that wait until it is up. */
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
    /* Called once, perhaps before the function that added the waiter returns: with NULL if the process is up,
     * or with the reason why it is not. */
    void (*go)(struct waiter *w, const struct err *e);
};
TAILQ_HEAD(waiters, waiter);

/* Must be zeroed before service_open(), except the first two members. */
struct tunnel_service {
    void (*start)(void);                /* starts the process; service_settled() follows, perhaps at once */
    bool (*never_again)(struct err *e); /* whether it can never be started again, and why; NULL: it can */
    const struct target *target;
    void (*opened)(const struct err *e);
    enum { SERVICE_DOWN, SERVICE_STARTING, SERVICE_UP } state;
    struct restart restart;
    struct waiters waiters;
    unsigned round;
};

/* Starts the process for the first time. opened() is called once: with NULL if it is up, or with the reason
 * why not. */
void service_open(struct tunnel_service *s, const struct target *target, void (*opened)(const struct err *e));
/* Adds a waiter: w->go() is called once the process is up. Starts the process if it is down, but not during
 * the pause: then w->go() gets the reason. */
void service_await(struct tunnel_service *s, struct waiter *w);
/* Like service_await(), but if the process is up, the waiter waits for the next start. */
void service_await_next(struct tunnel_service *s, struct waiter *w);
/* Removes a waiter. Returns false if it was not waiting. */
bool service_cancel(struct tunnel_service *s, struct waiter *w);
/* Must be called with the result of start(): NULL if the process is up, or the error. */
void service_settled(struct tunnel_service *s, const struct err *e);
/* Must be called when a process that was up has ended. It is started again if a connection is waiting. */
void service_lost(struct tunnel_service *s, const struct err *e);

#endif
