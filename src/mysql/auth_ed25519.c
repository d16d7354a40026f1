/* SPDX-License-Identifier: MIT */
/*
 * MariaDB's methods whose answer is an Ed25519 signature of the server's scramble. Both are described in
 * MariaDB's documentation ("Authentication Plugin - ed25519", "Authentication Plugin - PARSEC"); they differ
 * in how the password is turned into a key.
 */
#include "auth_method.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

enum { SCRAMBLE = 32, POINT = crypto_core_ed25519_BYTES, SCALAR = crypto_core_ed25519_SCALARBYTES };
enum { SHA512_LEN = crypto_hash_sha512_BYTES, SIGNATURE = crypto_sign_BYTES };

/* Computes the SHA-512 hash of up to three byte strings, as a scalar. */
static void hash_scalar(uint8_t out[SCALAR], const uint8_t *first, size_t first_n, const uint8_t *second,
                        size_t second_n, const uint8_t *third, size_t third_n)
{
    crypto_hash_sha512_state state;
    uint8_t wide[SHA512_LEN];

    (void)crypto_hash_sha512_init(&state);
    (void)crypto_hash_sha512_update(&state, first, first_n);
    (void)crypto_hash_sha512_update(&state, second, second_n);
    (void)crypto_hash_sha512_update(&state, third, third_n);
    (void)crypto_hash_sha512_final(&state, wide);
    crypto_core_ed25519_scalar_reduce(out, wide);
    explicit_bzero(&state, sizeof state);
    explicit_bzero(wide, sizeof wide);
}

/*
 * RFC 8032 section 5.1.6, except the first step: it hashes the password itself, of any length, instead of a
 * seed of 32 bytes. OpenSSL supports only seeds, so the signature is computed here.
 */
enum auth_next auth_ed25519(const struct auth *a, struct buf *out, struct err *e)
{
    uint8_t secret[SHA512_LEN], nonce[SCALAR], challenge[SCALAR], s[SCALAR];
    uint8_t point[POINT], signature[SIGNATURE];

    (void)e;
    (void)crypto_hash_sha512(secret, (const uint8_t *)secret_bytes(a->password), secret_len(a->password));
    secret[0] &= 248;
    secret[31] &= 63;
    secret[31] |= 64;
    hash_scalar(nonce, secret + SCALAR, SHA512_LEN - SCALAR, a->scramble, SCRAMBLE, NULL, 0);
    (void)crypto_scalarmult_ed25519_base_noclamp(point, secret);
    (void)crypto_scalarmult_ed25519_base_noclamp(signature, nonce);
    hash_scalar(challenge, signature, POINT, point, sizeof point, a->scramble, SCRAMBLE);
    crypto_core_ed25519_scalar_mul(s, challenge, secret);
    crypto_core_ed25519_scalar_add(signature + POINT, s, nonce);
    buf_add(out, signature, sizeof signature);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(nonce, sizeof nonce);
    explicit_bzero(s, sizeof s);
    return AUTH_DONE;
}

/* An empty packet requests the salt. */
enum auth_next auth_parsec(const struct auth *a, struct buf *out, struct err *e)
{
    (void)a;
    (void)out;
    (void)e;
    return AUTH_SALT;
}

/* The data is 'P' for PBKDF2, a byte N (there are 1024 * 2^N iterations), and the salt. MariaDB's own client
 * accepts N up to 3, and only this salt length. */
enum { KDF_AT, POWER_AT, SALT_AT, SALT = 18, POWER_MOST = 3 };

enum auth_next auth_by_salt(const struct auth *a, const uint8_t *said, size_t n, struct buf *out,
                            struct err *e)
{
    uint8_t seed[crypto_sign_SEEDBYTES], public[crypto_sign_PUBLICKEYBYTES], key[crypto_sign_SECRETKEYBYTES];
    uint8_t both[2 * SCRAMBLE], signature[SIGNATURE];

    if (n != SALT_AT + SALT || said[KDF_AT] != 'P' || said[POWER_AT] > POWER_MOST) {
        (void)err_set_numbered(e, ERR_PROTOCOL, 2061, "the server's parsec parameters are unknown");
        (void)err_hint(e, "login = client");
        return AUTH_FAILED;
    }
    if (PKCS5_PBKDF2_HMAC(secret_bytes(a->password), (int)secret_len(a->password), said + SALT_AT, SALT,
                          1024 << said[POWER_AT], EVP_sha512(), sizeof seed, seed) != 1) {
        (void)err_set(e, ERR_BUG, "OpenSSL has no PBKDF2");
        return AUTH_FAILED;
    }
    memcpy(both, a->scramble, SCRAMBLE);
    randombytes_buf(both + SCRAMBLE, SCRAMBLE);
    (void)crypto_sign_seed_keypair(public, key, seed);
    (void)crypto_sign_detached(signature, NULL, both, sizeof both, key);
    buf_add(out, both + SCRAMBLE, SCRAMBLE);
    buf_add(out, signature, sizeof signature);
    explicit_bzero(seed, sizeof seed);
    explicit_bzero(key, sizeof key);
    return AUTH_DONE;
}
