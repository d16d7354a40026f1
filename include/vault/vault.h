/* SPDX-License-Identifier: MIT */
/*
 * HashiCorp Vault (and OpenBao): logs in and reads a temporary database user. A token is kept in the kernel's
 * keyring and in the keychain, a credential only in the kernel's keyring (docs/vault.md).
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>
#include <model/credential.h>
#include <model/profile.h>

/* The prefixes of the identities of the stored entries. */
#define VAULT_TOKEN_PREFIX "vault_token:"
#define VAULT_LEASE_PREFIX "vault_lease:"

struct vault_method;

/* The source of a token. */
enum vault_from {
    VAULT_FROM_NOWHERE,
    VAULT_FROM_GIVEN,    /* from BAO_TOKEN, VAULT_TOKEN or a file, not from a login by broker */
    VAULT_FROM_SESSION,  /* the kernel's keyring */
    VAULT_FROM_KEYCHAIN, /* the keychain, so it may have been revoked since */
    VAULT_FROM_LOGIN,    /* a login during this run */
};

struct vault_token {
    struct secret *value;
    enum vault_from from;
    time_t expires_at; /* when it expires; 0: never, or not known */
    unsigned long ttl; /* its lifetime in seconds when it was created; 0: not known */
    bool is_renewable, is_batch;
    unsigned uses; /* the number of times it can be used; 0: unlimited */
};

/* A user and password from Vault. */
struct vault_lease {
    char *id; /* NULL: a static role's credential, which has no lease */
    char *user;
    struct secret *password;
    time_t made_at, expires_at;
    unsigned long seconds; /* its duration in seconds when it was created */
    bool is_renewable;
};

/* The settings from the profile and the environment, and the state of this run. */
struct vault {
    char *addr, *space, *ca, *cert, *key, *tls_name; /* NULL: not set */
    const struct vault_method *method;
    char *mount; /* the method's mount path; NULL: it has none */
    char *role, *user, *role_id, *secret_id_file, *jwt_file, *token_file, *callback;
    char *path;           /* the credential's path, without leading and trailing slashes */
    struct secret *given; /* a token from the environment or a file; NULL: none */
    char *given_by;       /* the variable or file that contains it */
    char *profile_name;   /* the profile's name, for hints; NULL: none */
    long connect_ms;
    bool may_log_in; /* a browser may be opened for the user to log in */
    bool wants_login, wants_fresh, wants_renewal;
    bool revokes; /* leases are revoked at the end of a session */

    struct vault_token token;
    struct vault_lease lease; /* the credential, if its user is not NULL */
    bool has_logged_in;       /* the user has just logged in */
};
void vault_release(struct vault *v);
#define AUTO_VAULT(name) __attribute__((cleanup(vault_release))) struct vault name = {0}

/* Reads the profile's keys and the environment. Fails with ERR_CONFIG if a setting is missing or invalid, or
 * would send a token in cleartext. */
int vault_open(const struct profile *p, struct vault *out, struct err *e);
/* Makes the same checks without keeping the settings. */
int vault_check(const struct profile *p, struct err *e);

/*
 * Gets a token: from the environment, from a store, or by a login, for which the user may be asked. If
 * several processes need a login at the same time, one of them logs in. Fails with ERR_LOGIN if the user is
 * needed and cannot be asked, and with ERR_REFUSED.
 */
int vault_sign_in(struct vault *v, int64_t deadline, struct err *e);

/* Gets the credential, cached or new, into v->lease. Logs in again, once, if Vault no longer knows the
 * token. */
int vault_read(struct vault *v, int64_t deadline, struct err *e);

/* Moves the result of vault_read() into a credential. */
void vault_take_credential(struct vault *v, struct credential *out);

/* Revokes the token, and with it all leases made with it, and removes the stored entries. *forgotten is set
 * to the number of entries. */
int vault_sign_out(struct vault *v, int64_t deadline, unsigned *forgotten, struct err *e);
/* Revokes the stored lease of that user and removes its entry; does nothing if there is none, or no token to
 * revoke it with. */
int vault_end_user(struct vault *v, const char *user, int64_t deadline, struct err *e);

/* Appends a description such as "vault https://vault.example.com, oidc". */
void vault_describe(const struct vault *v, struct buf *out);

#endif
