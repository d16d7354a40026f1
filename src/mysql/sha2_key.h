/* SPDX-License-Identifier: MIT */
/*
 * The keeper's own RSA key, for clients that encrypt their password with the server's key because their
 * connection to the keeper does not use TLS ("caching_sha2_password: Information" in MySQL's source
 * documentation).
 */
#ifndef MYSQL_SHA2_KEY_H
#define MYSQL_SHA2_KEY_H

#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>

/* The bytes with which a client requests the key. */
enum { SHA256_PASSWORD_ASKS = 1, CACHING_SHA2_ASKS = 2 };
/* Maximal size of a password encrypted with a 2048-bit RSA key. */
#define SHA2_KEY_PASSWORD_MAX 256

/* Appends the public key as PEM. The first call generates the key, which takes some tenths of a second. */
int sha2_key_public(struct buf *out, struct err *e);
/* Decrypts RSA-OAEP with SHA-1, XORs with the scramble, and appends the password with its NUL. Returns 0, or
 * -1 with ERR_PROTOCOL. */
int sha2_key_decrypt(const uint8_t *bytes, size_t n, const uint8_t *scramble, size_t scramble_len,
                     struct buf *out, struct err *e);

#endif
