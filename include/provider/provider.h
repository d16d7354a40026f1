/* SPDX-License-Identifier: MIT */
/*
 * A provider is a source of credentials (key `auth`): a file here, and a row in model/kinds.def. Providers
 * know nothing about tunnels or clients: they get a profile and return a credential.
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
    bool needs_user;   /* the profile must have a user */
    bool any_user;     /* without a user in the profile, the client chooses one */
    bool names_user;   /* the credential may contain the user name */
    bool makes_user;   /* the credential always contains the user name; the password alone is useless */
    bool by_client;    /* the client reads the credential from its own files, so only the client can log in */
    bool expires;      /* the credential expires */
    bool once;         /* another process cannot get the credential, so it is passed on and kept */
    bool has_no_token; /* there is no secret to print; `broker token` is a usage error */
    /* Checks the profile before anything else is done. Fails with ERR_CONFIG. May be NULL. */
    int (*check)(const struct profile *p, struct err *e);
    /*
     * Logs in to the service that issues the credential (gets AWS keys or a Vault token). Sets out->login and
     * the state that get() needs; may ask the user, as get() does. NULL: there is no login.
     */
    int (*login)(const struct profile *p, int64_t deadline, struct credential *out, struct err *e);
    /* Gets the credential by the deadline. Calls login() if the caller has not. May ask the user if
     * tty_can_ask(); fails with ERR_LOGIN if it needs to ask and cannot. */
    int (*get)(const struct profile *p, int64_t deadline, struct credential *out, struct err *e);
    /* Gets the keys that the credential is made with, for another program, valid for `least_life` more
     * seconds if possible. Does not start a login. NULL: there are no keys. */
    int (*keys)(const struct profile *p, time_t least_life, int64_t deadline, struct access_keys *out,
                struct err *e);
    /* Removes this identity's entries from the session store and sets *forgotten to their number. Does not
     * change the caches of other programs. NULL: nothing is ever cached. */
    int (*logout)(const struct profile *p, int64_t deadline, unsigned *forgotten, struct err *e);
    /* Deletes a user that get() created and that is no longer needed, if it is the one in the cache. NULL:
     * the user expires by itself. */
    int (*give_back)(const struct profile *p, const char *user, int64_t deadline, struct err *e);
    /* Stores a credential that the user typed (credential.asked). NULL: it is never stored. */
    int (*keep)(const struct profile *p, const struct credential *c, int64_t deadline, struct err *e);
    /* Appends a hint for when the server refuses the credential. NULL: a hint to check user and password. */
    void (*refused)(const struct profile *p, struct buf *out);
    /* Append short texts for --dry-run and --verbose, without any lookup: what login() does, the source and
     * user of the credential, and its limits. The first is only used with login(); the last may be NULL. */
    void (*describe_login)(const struct profile *p, struct buf *out);
    void (*describe)(const struct profile *p, struct buf *out);
    void (*describe_scope)(const struct profile *p, struct buf *out);
};

/* Returns the provider with that name; NULL if it is unknown. */
const struct provider *provider_find(const char *name);

#endif
