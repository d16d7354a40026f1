/* SPDX-License-Identifier: MIT */
/* The connections to the callback listener of a browser login. */
#ifndef HTTP_CALLBACK_CLIENTS_H
#define HTTP_CALLBACK_CLIENTS_H

#include <poll.h>
#include <stdint.h>

#include "callback_parse.h"

#define CALLBACK_CLIENTS 16

enum callback_phase {
    CALLBACK_FREE,
    CALLBACK_READING,
    CALLBACK_HELD,     /* it has asked for the final page, whose content is not known yet */
    CALLBACK_DRAINING, /* answered; waits for the client to close, because closing first could discard the
                          answer */
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
    bool came;                   /* the callback has arrived and `values` are set */
    bool shown;                  /* the final page has been sent */
    enum callback_result result; /* what the final page says */
};

/* Accepts waiting connections. If all places are taken, each one replaces the oldest. */
void callback_accept(struct callback_clients *c, int listener);
/* Reads from the clients that are readable and closes those whose time is up. `p` has an entry for each
 * client, as filled by poll(). */
void callback_serve(struct callback_clients *c, const struct pollfd *p);
/* Fills an entry of `p` for each client. Returns the milliseconds until the first client's time is up, at
 * most `left`. */
int callback_poll_set(const struct callback_clients *c, struct pollfd *p, int left);
/* Sends the final page to the clients that wait for it. c->result must be set. */
void callback_show(struct callback_clients *c);
void callback_close_all(struct callback_clients *c);

#endif
