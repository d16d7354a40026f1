/* SPDX-License-Identifier: MIT */
/*
 * A provider: where a credential comes from (key `auth`). One file each, one row in model/kinds.def.
 * Providers know nothing about tunnels or clients: they get a profile and return a credential.
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/credential.h>
#include <model/profile.h>

struct provider {
    const char *name;
    bool needs_user;   /* the profile must have a user: without one there is no secret */
    bool any_user;     /* without a user, the client's own choice is right */
    bool names_user;   /* the credential may name the user */
    bool makes_user;   /* the credential always says who: a password alone is of no use */
    bool by_client;    /* the client's own files decide, so that nobody else can log in */
    bool expires;      /* its credential ends after a while */
    bool once;         /* it cannot be asked again by another process: its answer is kept */
    bool has_no_token; /* it has no secret to print: `token` is a usage error */
    /* Checks the profile before anything is done: ERR_CONFIG. May be NULL. */
    int (*check)(const struct profile *p, struct err *e);
    /*
     * Logs in to the service that makes the credential, if there is one (AWS keys, a Vault token). Fills
     * out->login and what get() needs; may ask, as get() does. NULL: no login.
     */
    int (*login)(const struct profile *p, int64_t deadline, struct credential *out, struct err *e);
    /* Gets the credential by the deadline. Calls login() if the caller has not. May ask (tty_can_ask());
     * ERR_LOGIN if it must ask and cannot. */
    int (*get)(const struct profile *p, int64_t deadline, struct credential *out, struct err *e);
    /* Gets the keys that the credential is made with, for another program; they live `least_life` seconds if
     * that is possible. Never asks for a login. NULL: there are none. */
    int (*keys)(const struct profile *p, time_t least_life, int64_t deadline, struct access_keys *out,
                struct err *e);
    /* Removes this identity's entries from the session store; *forgotten: how many. Does not touch other
     * programs' caches. NULL: nothing is ever kept. */
    int (*logout)(const struct profile *p, int64_t deadline, unsigned *forgotten, struct err *e);
    /* The user that get() has made is not needed any more: ends it, if it is the one that is kept. NULL: it
     * ends by itself. */
    int (*give_back)(const struct profile *p, const char *user, int64_t deadline, struct err *e);
    /* Stores a credential that the user typed (credential.asked). NULL: never stored. */
    int (*keep)(const struct profile *p, const struct credential *c, int64_t deadline, struct err *e);
    /* A hint: what to check if the server refuses the credential. NULL: user and password. */
    void (*refused)(const struct profile *p, struct buf *out);
    /* Short texts for --dry-run and --verbose, without looking anything up: what login() does, as whom, and
     * limited to what. The first needs login(), the last may be NULL. */
    void (*describe_login)(const struct profile *p, struct buf *out);
    void (*describe)(const struct profile *p, struct buf *out);
    void (*describe_scope)(const struct profile *p, struct buf *out);
};

/* The provider of that name; NULL: unknown. */
const struct provider *provider_find(const char *name);

#endif
