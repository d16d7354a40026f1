/* SPDX-License-Identifier: MIT */
/* Asks broker for a credential: one request at a time. */
#ifndef KEEPER_CREDENTIAL_REQUEST_H
#define KEEPER_CREDENTIAL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "credential_answer.h"

enum credential_how {
    CREDENTIAL_KEPT,    /* what broker has kept will do */
    CREDENTIAL_ANEW,    /* it will not: the server has refused it */
    CREDENTIAL_RENEWED, /* what broker has kept, renewed, and nothing else */
};

/* done() is called once, perhaps before this returns: with an answer, parts of which it may take, or NULL and
 * why. It may ask again. */
void credential_request(enum credential_how how,
                        void (*done)(struct credential_answer *a, const struct err *e));
bool credential_request_runs(void);
/* Gives it up; done() is not called. */
void credential_request_end(void);
/* Asks that this user is given back (`credential erase`), and waits for that until the deadline. */
void credential_request_erase(const char *user, int64_t deadline);

#endif
