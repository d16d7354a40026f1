/* SPDX-License-Identifier: MIT */
/*
 * Methods whose answer is a digest of the password and the server's scramble ("Native Authentication" and
 * "caching_sha2_password: Information" in MySQL's source documentation), or the password itself.
 */
#include "auth_method.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define SCRAMBLE 20

enum { SHA1_LEN = 20, SHA256_LEN = crypto_hash_sha256_BYTES };

static enum auth_next unable(struct err *e)
{
    (void)err_set(e, ERR_BUG, "OpenSSL has no SHA-1");
    return AUTH_FAILED;
}

static bool sha1(const void *bytes, size_t n, uint8_t out[SHA1_LEN])
{
    return EVP_Digest(bytes, n, out, NULL, EVP_sha1(), NULL) == 1;
}

/* SHA1(password) XOR SHA1(scramble, SHA1(SHA1(password))). */
enum auth_next auth_native(const struct auth *a, struct buf *out, struct err *e)
{
    uint8_t once[SHA1_LEN], twice[SCRAMBLE + SHA1_LEN], mask[SHA1_LEN];

    if (secret_len(a->password) == 0)
        return AUTH_DONE;
    memcpy(twice, a->scramble, SCRAMBLE);
    bool made = sha1(secret_bytes(a->password), secret_len(a->password), once) &&
                sha1(once, sizeof once, twice + SCRAMBLE) && sha1(twice, sizeof twice, mask);
    for (size_t i = 0; made && i < sizeof mask; i++)
        buf_putc(out, (char)(once[i] ^ mask[i]));
    explicit_bzero(once, sizeof once);
    explicit_bzero(twice, sizeof twice);
    explicit_bzero(mask, sizeof mask);
    return made ? AUTH_DONE : unable(e);
}

/* SHA256(password) XOR SHA256(SHA256(SHA256(password)), scramble). */
enum auth_next auth_caching_sha2(const struct auth *a, struct buf *out, struct err *e)
{
    uint8_t once[SHA256_LEN], twice[SHA256_LEN + SCRAMBLE], mask[SHA256_LEN];

    (void)e;
    if (secret_len(a->password) == 0)
        return AUTH_DONE;
    (void)crypto_hash_sha256(once, (const uint8_t *)secret_bytes(a->password), secret_len(a->password));
    (void)crypto_hash_sha256(twice, once, sizeof once);
    memcpy(twice + SHA256_LEN, a->scramble, SCRAMBLE);
    (void)crypto_hash_sha256(mask, twice, sizeof twice);
    for (size_t i = 0; i < sizeof mask; i++)
        buf_putc(out, (char)(once[i] ^ mask[i]));
    explicit_bzero(once, sizeof once);
    explicit_bzero(twice, sizeof twice);
    explicit_bzero(mask, sizeof mask);
    return AUTH_FAST;
}

void auth_put_password(const struct auth *a, struct buf *out)
{
    buf_add(out, secret_bytes(a->password), secret_len(a->password));
    buf_putc(out, '\0');
}

enum auth_next auth_clear(const struct auth *a, struct buf *out, struct err *e)
{
    (void)e;
    auth_put_password(a, out);
    return AUTH_LAST;
}
