/* SPDX-License-Identifier: MIT */
/* Name lookups in the event loop. One lookup serves all requests for the same name that come at the same
 * time, and for a second after it. */
#ifndef EVENT_LOOKUP_H
#define EVENT_LOOKUP_H

#include <sys/queue.h>

#include <base/resolve.h>

/* A request. Embedded in its owner's struct; must be zeroed before its first use. */
struct resolve {
    /* Called once, never before resolve_start() returns. `failed` is getaddrinfo(3)'s error, or 0 on success.
     * The lookup owns the list, so the callback must copy what it keeps. */
    void (*done)(struct resolve *r, const struct addresses *found, int failed);
    struct lookup *lookup;
    LIST_ENTRY(resolve) next;
};

/* Starts a lookup. The error is EAI_SYSTEM if the process cannot be started. */
void resolve_start(struct resolve *r, const char *host,
                   void (*done)(struct resolve *r, const struct addresses *found, int failed));
/* Cancels a request; done() is not called any more. Cancelling the last request ends the lookup. */
void resolve_cancel(struct resolve *r);

#endif
