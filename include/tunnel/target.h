/* SPDX-License-Identifier: MIT */
/* What is to be reached and how: one value, made of the request to open, that lives lives as long as the
 * process. */
#ifndef TUNNEL_TARGET_H
#define TUNNEL_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include <base/secret.h>
#include <base/text.h>
#include <ipc/keeper.h>

struct target {
    char *host, *socket; /* the endpoint: one of the two */
    unsigned port;
    struct words keys;                      /* of the tunnel: "KEY=VALUE" */
    int64_t connect_timeout, login_timeout; /* ms */
    bool lasts;                             /* for hours: bulk counts more than the start */
    bool person;                            /* somebody reads what is shown */
    bool ready; /* READY was sent: nobody is asked, and nothing is shown any more */
    /*
     * Asks the person behind broker and waits for the answer, for login_timeout at most: only before READY.
     * ERR_LOGIN if nobody can be asked, if too much was asked already, and always after READY. `again`: the
     * answer before was refused. The time that a person takes is added to *deadline (may be NULL). What ends
     * the keeper ends it here too: this may not return.
     */
    int (*ask)(enum keeper_question kind, const char *text, bool again, int64_t *deadline,
               struct secret **answer, struct err *e);
};

/* A key of [tunnel]; NULL if it is not set. */
const char *target_key(const struct target *t, const char *key);
/* HOST:PORT or the path of the endpoint, for messages. Until the next call. */
const char *target_name(const struct target *t);

#endif
