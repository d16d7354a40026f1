/* Name look-ups in the loop: one serves all that want the same name at the same time, and for a second after
 * it. */
#ifndef EVENT_LOOKUP_H
#define EVENT_LOOKUP_H

#include <base/resolve.h>

/* One who waits. Embedded in its owner's struct; zeroed before its first use. */
struct resolve {
    /* Once, never before resolve_start() returns. `failed`: as getaddrinfo(3) gives it, 0 for a list. The
     * list is the look-up's: copy what is kept. */
    void (*done)(struct resolve *r, const struct addresses *found, int failed);
    struct lookup *lookup;
    struct resolve *next;
};

/* EAI_SYSTEM where no process can be started. */
void resolve_start(struct resolve *r, const char *host,
                   void (*done)(struct resolve *r, const struct addresses *found, int failed));
/* No callback any more. The last one to go ends the look-up. */
void resolve_cancel(struct resolve *r);

#endif
