/* SPDX-License-Identifier: MIT */
/* Name look-ups in the loop: one serves all that want the same name at the same time, and for a second after
 * it. */
#ifndef EVENT_LOOKUP_H
#define EVENT_LOOKUP_H

#include <sys/queue.h>

#include <base/resolve.h>

/* A waiter. Embedded in its owner's struct; zeroed before its first use. */
struct resolve {
    /* Called once, never before resolve_start() returns. `failed`: getaddrinfo(3)'s error, 0 for a list. The
     * look-up owns the list: copy what you keep. */
    void (*done)(struct resolve *r, const struct addresses *found, int failed);
    struct lookup *lookup;
    LIST_ENTRY(resolve) next;
};

/* EAI_SYSTEM if no process can be started. */
void resolve_start(struct resolve *r, const char *host,
                   void (*done)(struct resolve *r, const struct addresses *found, int failed));
/* Calls no callback any more. The last one to go ends the look-up. */
void resolve_cancel(struct resolve *r);

#endif
