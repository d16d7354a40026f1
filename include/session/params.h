/* SPDX-License-Identifier: MIT */
/* Connection parameters for a program that broker does not start itself. */
#ifndef SESSION_PARAMS_H
#define SESSION_PARAMS_H

#include <stdbool.h>

#include <session/forward.h>
#include <session/session.h>

struct params_wanted {
    bool endpoint;    /* give the server's own address, even if it is only reachable through a tunnel */
    bool no_password; /* do not fetch a credential */
    bool inject;      /* use only a running forward that logs in to the server */
    bool says_tls;    /* the format tells its reader the TLS level, so the level must work at the address */
};
struct params {
    struct connection conn;     /* the address to connect to, TLS settings and login */
    struct connection endpoint; /* the server's own address */
    struct forward forward;     /* the running forward that is used; empty: none */
};
#define PARAMS_INIT                                                                                          \
    {                                                                                                        \
        .forward = FORWARD_INIT                                                                              \
    }
void params_release(struct params *p);
#define AUTO_PARAMS(name) __attribute__((cleanup(params_release))) struct params name = PARAMS_INIT

/*
 * The session must have a plan (FOR_PARAMS) and outlive *out, which borrows from it. ERR_UNREACHABLE: a
 * tunnel is needed and no forward of the profile is running, or the forward leads elsewhere, or its address
 * is not the name that TLS must verify.
 */
int session_params(struct session *s, const struct params_wanted *want, struct params *out, struct err *e);

#endif
