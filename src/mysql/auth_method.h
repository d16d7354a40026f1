/* SPDX-License-Identifier: MIT */
/*
 * The ways in which the keeper proves to a server that it has a password: one row each in auth_method.c. A
 * server names one; what is not in the table is refused by name.
 */
#ifndef MYSQL_AUTH_METHOD_H
#define MYSQL_AUTH_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>

#define AUTH_SCRAMBLE_MAX 32

struct auth {
    const struct secret *password;
    uint8_t scramble[AUTH_SCRAMBLE_MAX]; /* the server's; as many bytes as the method's row says */
    bool closed;                         /* nobody on the route can read: TLS, or the server's own socket */
    bool verified;  /* closed, and it is the server that is meant: verify-identity, or its own socket */
    bool takes_key; /* without either, the server's RSA key may be asked for */
};

/* What the server must say after an answer. */
enum auth_next {
    AUTH_FAILED = -1, /* no answer: *e */
    AUTH_DONE,        /* whether the answer is right */
    AUTH_FAST,        /* whether the scrambled password is enough */
    AUTH_LAST,        /* as AUTH_DONE, and it may not ask for another method: the password itself was sent */
    AUTH_KEY,         /* its RSA key */
    AUTH_SALT,        /* how the password is made a key */
};

/* Appends the answer to *out. */
typedef enum auth_next auth_answer(const struct auth *a, struct buf *out, struct err *e);
/* The same for what the server has said; `said` is without its mark. */
typedef enum auth_next auth_more(const struct auth *a, const uint8_t *said, size_t n, struct buf *out,
                                 struct err *e);

/* Over what the method may be used at all. */
enum auth_over {
    OVER_ANYTHING, /* the password cannot be read from the answer; or the method sees to it by itself */
    OVER_VERIFIED, /* the answer is the password, and only the server that is meant may see it */
};

struct auth_method {
    const char *name;
    size_t scramble; /* the bytes that it needs of the server's; 0: none */
    enum auth_over over;
    /* A greeting, which anyone may have sent, may choose it, and a client may prove by it that it has the
     * password of the run: the answer is a digest with the scramble. */
    bool greets;
    auth_answer *answer;
};

/* NULL: not one of ours. */
const struct auth_method *auth_find(const char *name);
/* Whether it may be used over that connection. */
bool auth_allowed(const struct auth_method *method, const struct auth *a);

/* Each method's answer. An empty password is an empty answer for those that say so. */
auth_answer auth_native;       /* also empty */
auth_answer auth_caching_sha2; /* also empty */
auth_answer auth_sha256;       /* also empty */
auth_answer auth_ed25519;
auth_answer auth_parsec;
auth_answer auth_clear;

/* caching_sha2_password: the scrambled password was not enough. */
auth_answer auth_full;
/* sha256_password, caching_sha2_password: `said` is the server's RSA key as PEM. */
auth_more auth_by_key;
/* parsec: `said` is 'P', the number of iterations, a salt. */
auth_more auth_by_salt;

/* Appends the password and a NUL. */
void auth_put_password(const struct auth *a, struct buf *out);

#endif
