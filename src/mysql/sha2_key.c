/* SPDX-License-Identifier: MIT */
/* The RSA key exists only in this process; it does not authenticate anything. */
#include "sha2_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#define BITS 2048

static EVP_PKEY *key;

static int unable(struct err *e, const char *what)
{
    ERR_clear_error();
    return err_set_numbered(e, ERR_PROTOCOL, 2061, "the client's password: %s", what);
}

int sha2_key_public(struct buf *out, struct err *e)
{
    char *text;

    if (!key)
        key = EVP_RSA_gen(BITS);
    BIO *pem = key ? BIO_new(BIO_s_mem()) : NULL;
    if (!pem || PEM_write_bio_PUBKEY(pem, key) != 1) {
        BIO_free(pem);
        return unable(e, "cannot create its key");
    }
    long n = BIO_get_mem_data(pem, &text);
    buf_add(out, text, (size_t)n);
    BIO_free(pem);
    return 0;
}

static int decrypt(EVP_PKEY_CTX *with, const uint8_t *bytes, size_t n, uint8_t *to, size_t *len)
{
    if (!with || EVP_PKEY_decrypt_init(with) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(with, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(with, EVP_sha1()) != 1)
        return -1;
    return EVP_PKEY_decrypt(with, to, len, bytes, n) == 1 ? 0 : -1;
}

int sha2_key_decrypt(const uint8_t *bytes, size_t n, const uint8_t *scramble, size_t scramble_len,
                     struct buf *out, struct err *e)
{
    uint8_t clear[BITS / 8];
    size_t len = sizeof clear;
    EVP_PKEY_CTX *with = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    int result = decrypt(with, bytes, n, clear, &len);

    EVP_PKEY_CTX_free(with);
    for (size_t i = 0; result == 0 && i < len; i++)
        buf_putc(out, (char)(clear[i] ^ scramble[i % scramble_len]));
    explicit_bzero(clear, sizeof clear);
    if (result < 0 || len == 0 || out->data[out->len - 1] != '\0')
        return unable(e, "not encrypted with broker's key");
    return 0;
}
