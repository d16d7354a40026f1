/* SPDX-License-Identifier: MIT */
/* What a credential provider returns: user, password, expiry, and whether the server needs the password in
 * cleartext. */
#ifndef MODEL_CREDENTIAL_H
#define MODEL_CREDENTIAL_H

#include <stdbool.h>
#include <time.h>

#include <base/secret.h>

struct credential {
    char *user;              /* NULL: the profile's user; Vault makes temporary users */
    struct secret *password; /* NULL: the client uses its own option files */
    time_t expires_at;       /* 0: it does not expire */
    char *lease_id;
    bool cleartext;
    bool asked;    /* the user has just typed it */
    bool keepable; /* `asked`, and the provider can store it */
    /* Options of login(). may_log_in: it may start a browser or device flow. wants_login: it does the
     * interactive part now, even if a credential is cached. */
    bool may_log_in, wants_login;
    bool wants_fresh;   /* option of login() and get(): do not use cached credentials */
    bool wants_renewal; /* option of get(): use only a cached credential, renewed if it expires soon;
                           otherwise ERR_REFUSED */
    time_t made_at;     /* when the server created this user or password; 0: unknown */
    /* Set by login(): whether the user has just logged in, and when that login expires (0: never, or
     * unknown). */
    bool logged_in;
    time_t login_expires_at;
    /* Set by login(): a short text that says who logged in (NULL: no login, or not done yet), and data for
     * get(). */
    char *login;
    void *login_state;
    void (*login_free)(void *state);
};

/* The keys of a cloud account, for a program that makes its own requests with them. */
struct access_keys {
    char *id;
    struct secret *secret;
    struct secret *token; /* NULL: these are long-lived keys */
    char *account;        /* the account number; NULL: unknown */
    time_t expires_at;    /* 0: unknown, or never */
};
void access_keys_release(struct access_keys *k);
#define AUTO_ACCESS_KEYS(name) __attribute__((cleanup(access_keys_release))) struct access_keys name = {0}

void credential_release(struct credential *c);
#define AUTO_CREDENTIAL(name) __attribute__((cleanup(credential_release))) struct credential name = {0}

#endif
