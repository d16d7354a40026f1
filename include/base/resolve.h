/* SPDX-License-Identifier: MIT */
/* Name look-up in a process of its own: it has no deadline and cannot be interrupted, but a process can be
 * ended. */
#ifndef BASE_RESOLVE_H
#define BASE_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include <base/err.h>

#define ADDRESSES_MOST 16

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};
/* In the order to try them, with alternating families (RFC 8305 section 4). Ports are 0. */
struct addresses {
    unsigned count;
    struct address at[ADDRESSES_MOST];
};

/* A look-up that goes on. */
struct resolver {
    pid_t pid; /* 0: none */
    int from;  /* readable once it has an answer; -1 */
};
#define RESOLVER_INIT                                                                                        \
    {                                                                                                        \
        .from = -1                                                                                           \
    }

/* Its process has no other descriptor of ours, and ends with us. ERR_TRY_LATER. */
int resolver_start(struct resolver *r, const char *host, struct err *e);
/* What getaddrinfo(3) gave, 0 for a list. Waits for the answer. */
int resolver_read(const struct resolver *r, struct addresses *out);
/* Ends it. Nothing where there is none. */
void resolver_stop(struct resolver *r);
/* Parses a numeric address (perhaps with a zone) without a look-up. False: not numeric. */
bool resolve_number(const char *host, struct addresses *out);

#endif
