/*
 * Name look-up in a child process, which can be ended. One look-up serves all that want the same name at the
 * same time, and for a second after it.
 */
#ifndef EVENT_RESOLVE_H
#define EVENT_RESOLVE_H

#include <stdbool.h>

#include <netinet/in.h>

#define ADDRESSES_MOST 16

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};
/* In the order in which they are to be tried, families alternating (RFC 8305 section 4). Ports are 0. */
struct addresses {
    unsigned count;
    struct address at[ADDRESSES_MOST];
};

/* One who waits. Embedded in its owner's struct; zeroed before its first use. */
struct resolve {
    /* Once, never before resolve_start() returns. `failed`: as getaddrinfo(3) gives it, 0 for a list. The
     * list is the look-up's: copy what is kept. */
    void (*done)(struct resolve *r, const struct addresses *found, int failed);
    struct lookup *lookup;
    struct resolve *next;
};

/* A number (with a zone perhaps) at once and without a look-up. False: it is none. */
bool resolve_number(const char *host, struct addresses *out);
/* EAI_SYSTEM where no process can be started. */
void resolve_start(struct resolve *r, const char *host,
                   void (*done)(struct resolve *r, const struct addresses *found, int failed));
/* No callback any more. The last one to go ends the look-up. */
void resolve_cancel(struct resolve *r);

#endif
