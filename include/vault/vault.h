/* SPDX-License-Identifier: MIT */
/*
 * HashiCorp Vault (and OpenBao): logging in, and reading a database user that Vault makes for a while. A
 * token is kept in the kernel's keyring and the keychain, a credential in the kernel's keyring alone
 * (docs/vault.md).
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

/* What the identities of the entries start with. */
#define VAULT_TOKEN_PREFIX "vault_token:"
#define VAULT_LEASE_PREFIX "vault_lease:"

struct vault_method;

/* Where a token came from. */
enum vault_from {
    VAULT_FROM_NOWHERE,
    VAULT_FROM_GIVEN,    /* BAO_TOKEN, VAULT_TOKEN or a file: not ours */
    VAULT_FROM_SESSION,  /* the kernel's keyring */
    VAULT_FROM_KEYCHAIN, /* the keychain, so nobody knows yet whether it is still good */
    VAULT_FROM_LOGIN,    /* a login of this run */
};

struct vault_token {
    struct secret *value;
    enum vault_from from;
    time_t expires_at; /* 0: never, or not known */
    unsigned long ttl; /* seconds that it had at first; 0: not known */
    bool is_renewable, is_batch;
    unsigned uses; /* how often it can be used at all; 0: as often as one likes */
};

/* A user and password that Vault gave. */
struct vault_lease {
    char *id; /* NULL: a static role's, which has none */
    char *user;
    struct secret *password;
    time_t made_at, expires_at;
    unsigned long seconds; /* that it had at first */
    bool is_renewable;
};

/* What the profile and the environment say, and how far the run has come. */
struct vault {
    char *addr, *space, *ca, *cert, *key, *tls_name; /* NULL: not set */
    const struct vault_method *method;
    char *mount; /* of the method; NULL: it has none */
    char *role, *user, *role_id, *secret_id_file, *jwt_file, *token_file, *callback;
    char *path;           /* of the credential, without slashes at its ends */
    struct secret *given; /* a token that is not ours; NULL: none */
    char *given_by;       /* the variable, or the file */
    char *profile_name;   /* for hints; NULL: of flags only */
    long connect_ms;
    bool may_log_in; /* a browser may be opened, a person asked to log in */
    bool wants_login, wants_fresh, wants_renewal;

    struct vault_token token;
    struct vault_lease lease; /* the kept one; its user NULL: none */
    bool has_logged_in;       /* a person did, just now */
};
void vault_release(struct vault *v);
#define AUTO_VAULT(name) __attribute__((cleanup(vault_release))) struct vault name = {0}

/* Reads keys and variables. ERR_CONFIG for what is missing, wrong, or would send a token in clear. */
int vault_open(const struct profile *p, struct vault *out, struct err *e);
/* The same checks, and nothing kept. */
int vault_check(const struct profile *p, struct err *e);

/*
 * A token: of the environment, kept, or by a login, for which a person may be asked. One login for all
 * brokers that want one at that time. ERR_LOGIN where a person is needed and nobody can be asked;
 * ERR_REFUSED.
 */
int vault_sign_in(struct vault *v, int64_t deadline, struct err *e);

/* The credential, kept or new, into v->lease; logs in once more where Vault has dropped the token. */
int vault_read(struct vault *v, int64_t deadline, struct err *e);

/* Moves what vault_read() found into a credential. */
void vault_take_credential(struct vault *v, struct credential *out);

/* Revokes the token and with it what was made with it, and forgets both. *forgotten: how many entries. */
int vault_sign_out(struct vault *v, int64_t deadline, unsigned *forgotten, struct err *e);
/* Revokes the kept lease of that user, and forgets it; nothing if there is none, or no token for it. */
int vault_end_user(struct vault *v, const char *user, int64_t deadline, struct err *e);

/* "vault https://vault.example.com, oidc". */
void vault_describe(const struct vault *v, struct buf *out);

#endif
