/* SPDX-License-Identifier: MIT */
/*
 * The authentication methods with which the keeper logs in to a server: one row each in auth_method.c. The
 * server names a method; one that is not in the table is refused with an error that names it.
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
    uint8_t scramble[AUTH_SCRAMBLE_MAX]; /* the server's scramble; its length is in the method's row */
    bool closed;    /* others cannot read the connection: TLS, or the server's own socket */
    bool verified;  /* `closed`, and the server is verified: verify-identity, or its own socket */
    bool takes_key; /* if not `closed`, the server's RSA key may be requested */
};

/* What the server must say after the keeper's answer. */
enum auth_next {
    AUTH_FAILED = -1, /* no answer could be made; the error is in *e */
    AUTH_DONE,        /* whether the answer is right */
    AUTH_FAST,        /* whether the scrambled password is enough */
    AUTH_LAST,        /* as AUTH_DONE; the server got the password, so it may not ask for another method */
    AUTH_KEY,         /* its RSA key, with which the password is encrypted */
    AUTH_SALT,        /* the salt with which the password is turned into a key */
};

/* Appends the answer to the server's scramble to *out. Returns what the server must say next. */
typedef enum auth_next auth_answer(const struct auth *a, struct buf *out, struct err *e);
/* Appends the answer to further data from the server. `said` is that data without its first byte
 * (MORE_DATA). */
typedef enum auth_next auth_more(const struct auth *a, const uint8_t *said, size_t n, struct buf *out,
                                 struct err *e);

/* The connections over which a method may be used. */
enum auth_over {
    OVER_ANYTHING, /* the answer does not reveal the password, or the method itself checks the connection */
    OVER_VERIFIED, /* the answer is the password, so only a verified server may get it */
};

struct auth_method {
    const char *name;
    size_t scramble; /* length of the scramble that the method needs; 0: none */
    enum auth_over over;
    /* Whether the server's greeting, which anyone may have sent, may choose this method, and whether a client
     * may use it to prove that it has the password of this run. True for methods whose answer is a digest
     * with the scramble. */
    bool greets;
    auth_answer *answer;
};

/* Returns the method, or NULL if it is not supported. */
const struct auth_method *auth_find(const char *name);
/* Returns whether the method may be used over this connection. */
bool auth_allowed(const struct auth_method *method, const struct auth *a);

/* The answer of each method. "May be empty": the answer to an empty password is an empty packet. */
auth_answer auth_native;       /* may be empty */
auth_answer auth_caching_sha2; /* may be empty */
auth_answer auth_sha256;       /* may be empty */
auth_answer auth_ed25519;
auth_answer auth_parsec;
auth_answer auth_clear;

/* caching_sha2_password: the answer if the scrambled password was not enough. */
auth_answer auth_full;
/* sha256_password and caching_sha2_password: `said` is the server's RSA key as PEM. */
auth_more auth_by_key;
/* parsec: `said` is 'P', the number of iterations, and a salt. */
auth_more auth_by_salt;

/* Appends the password and a NUL to *out. */
void auth_put_password(const struct auth *a, struct buf *out);

#endif
