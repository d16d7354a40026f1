/* SPDX-License-Identifier: MIT */
/* Connection parameters for a program that somebody else starts. */
#ifndef SESSION_PARAMS_H
#define SESSION_PARAMS_H

#include <stdbool.h>

#include <session/forward.h>
#include <session/session.h>

struct params_wanted {
    bool endpoint;    /* the server's own place, also behind a tunnel */
    bool no_password; /* fetch no credential */
    bool inject;      /* only where a running forward logs in by itself */
    bool says_tls;    /* the format tells its reader about TLS, which then is to be right */
};
struct params {
    struct connection conn;     /* what to dial and how, and as whom */
    struct connection endpoint; /* the server's own place */
    struct forward forward;     /* the running one that is dialled */
};
#define PARAMS_INIT                                                                                          \
    {                                                                                                        \
        .forward = FORWARD_INIT                                                                              \
    }
void params_release(struct params *p);
#define AUTO_PARAMS(name) __attribute__((cleanup(params_release))) struct params name = PARAMS_INIT

/*
 * The session has a plan (FOR_PARAMS), and outlives *out, which borrows from it. ERR_UNREACHABLE: behind a
 * tunnel no forward of the profile runs, or it leads elsewhere, or its address is not the name that TLS has
 * to verify.
 */
int session_params(struct session *s, const struct params_wanted *want, struct params *out, struct err *e);

#endif
