/* SPDX-License-Identifier: MIT */
/* Name lookup in a process of its own, because getaddrinfo(3) has no time limit and cannot be interrupted,
 * but a process can be killed. */
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
/* Addresses in the order to try them, with alternating families (RFC 8305 section 4). Their ports are 0. */
struct addresses {
    unsigned count;
    struct address at[ADDRESSES_MOST];
};

/* A name lookup in progress. */
struct resolver {
    pid_t pid; /* the child process; 0: none */
    int from;  /* readable when the answer is there; -1: none */
};
#define RESOLVER_INIT                                                                                        \
    {                                                                                                        \
        .from = -1                                                                                           \
    }

/* Starts looking up `host` in a child process, which inherits no other descriptor and ends when we end.
 * ERR_TRY_LATER. */
int resolver_start(struct resolver *r, const char *host, struct err *e);
/* Waits for the answer. Returns getaddrinfo(3)'s error, or 0 with the addresses in *out. */
int resolver_read(const struct resolver *r, struct addresses *out);
/* Ends the lookup. Does nothing if there is none. */
void resolver_stop(struct resolver *r);
/* Parses a numeric address (which may have a zone) without a lookup. Returns false if `host` is not numeric.
 * */
bool resolve_number(const char *host, struct addresses *out);

#endif
