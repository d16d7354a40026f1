/* SPDX-License-Identifier: MIT */
/* Gathers the facts for a plan. */
#ifndef SESSION_FACTS_H
#define SESSION_FACTS_H

#include <stdint.h>

#include <session/plan.h>

struct facts_wanted {
    bool client;             /* a MySQL client is used */
    const char *client_name; /* the client to use instead of the profile's */
    bool route;              /* we connect to the server, directly or through a keeper */
    bool socket;             /* the local server's socket may be searched for by connecting */
    int64_t deadline;
};

int facts_gather(const struct profile *p, const struct facts_wanted *want, struct facts *out, struct err *e);

#endif
