/* SPDX-License-Identifier: MIT */
/* Requests credentials from broker, one at a time. */
#ifndef KEEPER_CREDENTIAL_REQUEST_H
#define KEEPER_CREDENTIAL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "credential_answer.h"

enum credential_how {
    CREDENTIAL_KEPT,    /* a credential that broker has cached is accepted */
    CREDENTIAL_ANEW,    /* it is not accepted, because the server has refused it */
    CREDENTIAL_RENEWED, /* only the credential that broker has cached, renewed */
};

/* Starts a request. done() is called once, perhaps before credential_request() returns: with the answer,
 * whose members it may take over, or with NULL and the error. done() may start another request. */
void credential_request(enum credential_how how,
                        void (*done)(struct credential_answer *a, const struct err *e));
bool credential_request_runs(void);
/* Cancels the request; done() is not called. */
void credential_request_end(void);
/* Runs `credential erase` for this user, and waits for its end until the deadline. */
void credential_request_erase(const char *user, int64_t deadline);

#endif
