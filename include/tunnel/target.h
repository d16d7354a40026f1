/* SPDX-License-Identifier: MIT */
/* The endpoint of a connection and the tunnel to it. Made from the OPEN request; lives as long as the
 * process. */
#ifndef TUNNEL_TARGET_H
#define TUNNEL_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include <base/secret.h>
#include <base/text.h>
#include <ipc/keeper.h>

struct target {
    char *host, *socket; /* the endpoint: either host or socket is set */
    unsigned port;
    struct words keys;                      /* the keys of [tunnel], each "KEY=VALUE" */
    int64_t connect_timeout, login_timeout; /* in ms */
    bool lasts;  /* the connection lasts for hours, so throughput matters more than a fast start */
    bool person; /* a user reads what is shown */
    bool ready;  /* READY was sent: the user cannot be asked, and nothing is shown any more */
    /*
     * Asks the user of broker and waits for the answer, for at most login_timeout; possible only before
     * READY. Returns 0, or -1 with ERR_LOGIN if the user cannot be asked, if there were too many questions,
     * and always after READY. `again`: the previous answer was refused. The time that the user takes is added
     * to *deadline (may be NULL). May not return, because a signal that ends the keeper ends it here too.
     */
    int (*ask)(enum keeper_question kind, const char *text, bool again, int64_t *deadline,
               struct secret **answer, struct err *e);
};

/* Returns the value of a key of [tunnel], or NULL if it is not set. */
const char *target_key(const struct target *t, const char *key);
/* Returns HOST:PORT or the path of the endpoint, for messages. Valid until the next call. */
const char *target_name(const struct target *t);

#endif
