/* SPDX-License-Identifier: MIT */
/* ES256 signatures for DPoP proofs (RFC 9449), and SHA-1 for the names of AWS's cache files, both by
 * OpenSSL. */
#include "sign.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <base/mem.h>
#include <ipc/http.h>

static EVP_PKEY *read_key(const struct field *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;

    BIO_free(bio);
    return key;
}

/* Converts a signature from OpenSSL's DER to r and s with a fixed size (RFC 7518). */
static bool fixed_signature(const unsigned char *der, size_t n, unsigned char out[64])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32;

    ECDSA_SIG_free(sig);
    return good;
}

static bool sign_bytes(EVP_PKEY *key, const struct field *text, unsigned char out[64])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char der[128];
    size_t n = sizeof der;
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(ctx, der, &n, (const unsigned char *)text->bytes, text->len) == 1 &&
                fixed_signature(der, n, out);

    EVP_MD_CTX_free(ctx);
    return good;
}

/* Gets the public key as x and y. Only uncompressed points (the byte 4, x, y) on P-256 are accepted. */
static bool public_point(EVP_PKEY *key, unsigned char out[64])
{
    unsigned char point[65];
    char group[32] = "";
    size_t n = 0;
    bool good = EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
                strcmp(group, "prime256v1") == 0 &&
                EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) == 1 &&
                n == sizeof point && point[0] == 4;

    if (good)
        memcpy(out, point + 1, 64);
    return good;
}

int sign_es256(const struct record *request, struct record *answer, struct err *e)
{
    struct field pem, text;
    unsigned char signature[64], point[64];

    if (!record_find(request, HTTP_TAG_PEM, &pem) || !record_find(request, HTTP_TAG_BYTES, &text))
        return err_set(e, ERR_PROTOCOL, "a request without a key or a text");
    EVP_PKEY *key = read_key(&pem);
    bool good = key && public_point(key, point) && sign_bytes(key, &text, signature);
    EVP_PKEY_free(key);
    if (!good)
        return err_set(e, ERR_DATA, "not an EC private key on P-256");
    record_put(answer, HTTP_TAG_BYTES, signature, sizeof signature);
    record_put(answer, HTTP_TAG_POINT, point, sizeof point);
    return 0;
}

int digest_sha1(const struct record *request, struct record *answer, struct err *e)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct field text;
    unsigned n = 0;

    if (!record_find(request, HTTP_TAG_BYTES, &text))
        return err_set(e, ERR_PROTOCOL, "a request without a text");
    if (EVP_Digest(text.bytes, text.len, digest, &n, EVP_sha1(), NULL) != 1)
        return err_set(e, ERR_CONFIG, "this system's OpenSSL refuses SHA-1");
    record_put(answer, HTTP_TAG_BYTES, digest, n);
    return 0;
}
