/* SPDX-License-Identifier: MIT */
/* What a provider returns: user, password, expiry, and whether the server must get the password in cleartext.
 */
#ifndef MODEL_CREDENTIAL_H
#define MODEL_CREDENTIAL_H

#include <stdbool.h>
#include <time.h>

#include <base/secret.h>

struct credential {
    char *user;              /* NULL: the profile's user; Vault creates its own */
    struct secret *password; /* NULL: the client's own option files decide */
    time_t expires_at;       /* 0: does not expire */
    char *lease_id;
    bool cleartext;
    bool asked;    /* the user typed it just now */
    bool keepable; /* and the provider can store it */
    /* Options of login(): it may start a browser or device flow; it does the interactive part now even if
     * something is cached. */
    bool may_log_in, wants_login;
    bool wants_fresh;   /* option of login() and get(): use nothing that is cached */
    bool wants_renewal; /* option of get(): only what is cached, renewed if it ends soon; else ERR_REFUSED */
    time_t made_at;     /* when the server got this user or password; 0: not known */
    /* What login() reports: the user logged in just now, and when that will be needed again (0: never, or not
     * known). */
    bool logged_in;
    time_t login_expires_at;
    /* What the provider's login() left: a short text about who it logged in as (NULL: no login, or not done
     * yet), and what get() needs from it. */
    char *login;
    void *login_state;
    void (*login_free)(void *state);
};

/* Keys of a cloud, for a program that makes its own requests with them. */
struct access_keys {
    char *id;
    struct secret *secret;
    struct secret *token; /* NULL: long-lived keys */
    char *account;        /* NULL: not known */
    time_t expires_at;    /* 0: not known, or never */
};
void access_keys_release(struct access_keys *k);
#define AUTO_ACCESS_KEYS(name) __attribute__((cleanup(access_keys_release))) struct access_keys name = {0}

void credential_release(struct credential *c);
#define AUTO_CREDENTIAL(name) __attribute__((cleanup(credential_release))) struct credential name = {0}

#endif
