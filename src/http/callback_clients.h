/* SPDX-License-Identifier: MIT */
/* The connections to the listener of a login. */
#ifndef HTTP_CALLBACK_CLIENTS_H
#define HTTP_CALLBACK_CLIENTS_H

#include <poll.h>
#include <stdint.h>

#include "callback_parse.h"

#define CALLBACK_CLIENTS 16

enum callback_phase {
    CALLBACK_FREE,
    CALLBACK_READING,
    CALLBACK_HELD,     /* it wants the last page, and what will be on it is not known yet */
    CALLBACK_DRAINING, /* answered: until it hangs up, since closing at once could take the answer back */
};

struct callback_client {
    enum callback_phase phase;
    int fd;
    struct buf in;
    int64_t deadline;
};

enum callback_result { CALLBACK_OPEN, CALLBACK_GOOD, CALLBACK_FAILED };

struct callback_clients {
    struct callback_client item[CALLBACK_CLIENTS];
    struct callback_wanted want;
    struct callback_values values;
    bool came;                   /* the request that was waited for; the values are its */
    bool shown;                  /* the last page has been sent */
    enum callback_result result; /* what is on it */
};

/* Takes what waits at the listening descriptor, as far as there is room: the oldest makes it. */
void callback_accept(struct callback_clients *c, int listener);
/* Those that can be read, and those whose time is over. `p`: one for each client, as poll(2) filled it. */
void callback_serve(struct callback_clients *c, const struct pollfd *p);
/* Fills one for each client; the milliseconds until the first one's time is over, at most `left`. */
int callback_poll_set(const struct callback_clients *c, struct pollfd *p, int left);
/* Sends the last page to those that wait for it: c->result is known. */
void callback_show(struct callback_clients *c);
void callback_close_all(struct callback_clients *c);

#endif
