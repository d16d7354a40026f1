/* SPDX-License-Identifier: MIT */
/* Gathering the facts of a plan. */
#ifndef SESSION_FACTS_H
#define SESSION_FACTS_H

#include <stdint.h>

#include <session/plan.h>

struct facts_wanted {
    bool client;             /* a stock client is used */
    const char *client_name; /* this client instead of the profile's */
    bool route;              /* the server is dialled, perhaps by a keeper */
    bool socket;             /* sockets may be tried */
    int64_t deadline;
};

int facts_gather(const struct profile *p, const struct facts_wanted *want, struct facts *out, struct err *e);

#endif
