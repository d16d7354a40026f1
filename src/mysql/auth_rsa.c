/* SPDX-License-Identifier: MIT */
/*
 * Methods whose server needs the password itself: in cleartext over a connection that others cannot read
 * (auth.closed), otherwise encrypted with the server's RSA key, which is not verified
 * ("caching_sha2_password: Information" in MySQL's source documentation). So the latter requires the user's
 * consent.
 */
#include "auth_method.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "sha2_key.h"

#define SCRAMBLE 20
#define BITS_LEAST 1024
#define BITS_MOST 8192

static enum auth_next failed(struct err *e, const char *words, const char *hint)
{
    ERR_clear_error();
    (void)err_set_numbered(e, ERR_REFUSED, 2061, "%s", words);
    (void)err_hint(e, "%s", hint);
    return AUTH_FAILED;
}

static enum auth_next ask(const struct auth *a, uint8_t wish, struct buf *out, struct err *e)
{
    if (a->closed) {
        auth_put_password(a, out);
        return AUTH_LAST;
    }
    if (!a->takes_key)
        return failed(e, "the account needs TLS, or the server's public key",
                      "tls = required, or server_public_key = yes");
    buf_putc(out, (char)wish);
    return AUTH_KEY;
}

enum auth_next auth_full(const struct auth *a, struct buf *out, struct err *e)
{
    return ask(a, CACHING_SHA2_ASKS, out, e);
}

enum auth_next auth_sha256(const struct auth *a, struct buf *out, struct err *e)
{
    return secret_len(a->password) == 0 ? AUTH_DONE : ask(a, SHA256_PASSWORD_ASKS, out, e);
}

/* Has a passphrase, because without one OpenSSL would ask for it on the terminal, or read it from the control
 * channel, if the server sends an encrypted key. */
static EVP_PKEY *key_read(const uint8_t *pem, size_t n)
{
    static char no_passphrase[] = "";
    BIO *from = n <= 65536 ? BIO_new_mem_buf(pem, (int)n) : NULL;
    EVP_PKEY *key = from ? PEM_read_bio_PUBKEY(from, NULL, NULL, no_passphrase) : NULL;

    BIO_free(from);
    if (key && (EVP_PKEY_is_a(key, "RSA") != 1 || EVP_PKEY_get_bits(key) < BITS_LEAST ||
                EVP_PKEY_get_bits(key) > BITS_MOST)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool encrypt(EVP_PKEY *key, const struct buf *clear, struct buf *out)
{
    EVP_PKEY_CTX *with = EVP_PKEY_CTX_new(key, NULL);
    size_t n = (size_t)EVP_PKEY_get_size(key);
    uint8_t *room = (uint8_t *)buf_room(out, n);
    bool done = with && room && EVP_PKEY_encrypt_init(with) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(with, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(with, EVP_sha1()) == 1 &&
                EVP_PKEY_encrypt(with, room, &n, (const uint8_t *)clear->data, clear->len) == 1;

    EVP_PKEY_CTX_free(with);
    if (done)
        buf_grew(out, n);
    return done;
}

enum auth_next auth_by_key(const struct auth *a, const uint8_t *said, size_t n, struct buf *out,
                           struct err *e)
{
    AUTO_BUF(clear, BITS_MOST / 8);
    EVP_PKEY *key = key_read(said, n);

    if (!key)
        return failed(e, "the server's public key cannot be used", "tls = required");
    auth_put_password(a, &clear);
    for (size_t i = 0; i < clear.len; i++)
        clear.data[i] = (char)(clear.data[i] ^ (char)a->scramble[i % SCRAMBLE]);
    bool done = buf_ok(&clear) && encrypt(key, &clear, out);
    EVP_PKEY_free(key);
    return done ? AUTH_LAST
                : failed(e, "the password is too long for the server's public key", "tls = required");
}
