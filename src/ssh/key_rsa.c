/* SPDX-License-Identifier: MIT */
/*
 * RSA keys with OpenSSL: parsed again for each signature and freed at once, so that between logins only the
 * text is kept, in a secret.
 */
#include "key_rsa.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <base/mem.h>
#include <base/text.h>
#include <ssh/wire_format.h>

#define MAGIC "openssh-key-v1"

struct pem_phrase {
    const struct secret *phrase;
};

int openssh_key_split(const char *text, struct buf *body, struct openssh_key *out)
{
    const char *begin = strstr(text, "KEY-----"), *finish = begin ? strstr(begin, "-----END") : NULL;
    const unsigned char *at, *end, *cipher, *skipped;
    size_t cipher_length, n;

    if (!finish ||
        base64_decode(begin + strlen("KEY-----"), (size_t)(finish - begin) - strlen("KEY-----"), body) < 0)
        return -1;
    at = (const unsigned char *)buf_str(body);
    end = at + body->len;
    if (body->len < sizeof MAGIC || memcmp(at, MAGIC, sizeof MAGIC) != 0)
        return -1;
    at += sizeof MAGIC;
    if (!wire_string(&at, end, &cipher, &cipher_length) || !wire_string(&at, end, &skipped, &n) ||
        !wire_string(&at, end, &skipped, &n) || end - at < 4)
        return -1;
    at += 4; /* the number of keys: the format allows several, but no program writes more than one */
    out->encrypted = cipher_length != 4 || memcmp(cipher, "none", 4) != 0;
    return wire_string(&at, end, &out->blob, &out->blob_length) &&
                   wire_string(&at, end, &out->secret, &out->secret_length)
               ? 0
               : -1;
}

static EVP_PKEY *rsa_from_numbers(BIGNUM *n, BIGNUM *e, BIGNUM *d)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (build && context && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d) &&
        (params = OSSL_PARAM_BLD_to_param(build)) && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The private part: two check numbers, "ssh-rsa", n, e, d, and the CRT values, which are not needed for one
 * signature. */
static EVP_PKEY *openssh_rsa(const struct ssh_key *k)
{
    AUTO_BUF(body, SSH_KEY_MAX);
    struct openssh_key parts;
    const unsigned char *at, *end, *number[4];
    size_t length[4];
    BIGNUM *n, *e, *d;

    if (openssh_key_split(secret_bytes(k->text), &body, &parts) < 0 || parts.encrypted ||
        parts.secret_length < 8)
        return NULL;
    at = parts.secret + 8;
    end = parts.secret + parts.secret_length;
    for (int i = 0; i < 4; i++) {
        if (!wire_string(&at, end, &number[i], &length[i]))
            return NULL;
    }
    n = BN_bin2bn(number[1], (int)length[1], NULL);
    e = BN_bin2bn(number[2], (int)length[2], NULL);
    d = BN_secure_new();
    d = BN_bin2bn(number[3], (int)length[3], d);
    EVP_PKEY *key = n && e && d ? rsa_from_numbers(n, e, d) : NULL;
    BN_free(n);
    BN_free(e);
    BN_clear_free(d);
    return key;
}

static int give_phrase(char *to, int size, int writing, void *context)
{
    const struct pem_phrase *p = context;

    (void)writing;
    if (!p->phrase || secret_len(p->phrase) > (size_t)size)
        return -1;
    memcpy(to, secret_bytes(p->phrase), secret_len(p->phrase));
    return (int)secret_len(p->phrase);
}

static EVP_PKEY *open_key(const struct ssh_key *k)
{
    struct pem_phrase phrase = {k->phrase};
    EVP_PKEY *key;

    if (k->openssh)
        return openssh_rsa(k);
    BIO *bio = BIO_new_mem_buf(secret_bytes(k->text), (int)secret_len(k->text));
    key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_phrase, &phrase) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

/* RFC 4251 section 5: a leading zero byte is added if the first bit is set. */
static void put_mpint(struct buf *out, const BIGNUM *number)
{
    unsigned char bytes[2049] = {0};
    int n = BN_num_bytes(number);

    if (n < 1 || n >= (int)sizeof bytes)
        return;
    (void)BN_bn2bin(number, bytes + 1);
    size_t zero = bytes[1] & 0x80 ? 1 : 0;
    wire_put_string(out, bytes + 1 - zero, (size_t)n + zero);
}

static void rsa_blob(const EVP_PKEY *key, struct buf *out)
{
    BIGNUM *n = NULL, *e = NULL;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
        buf_clear(out);
        wire_put_string(out, "ssh-rsa", strlen("ssh-rsa"));
        put_mpint(out, e);
        put_mpint(out, n);
    }
    BN_free(n);
    BN_free(e);
}

/* Drops a public key that belongs to another private key. Elliptic-curve keys have their point at the end of
 * the blob. */
static void drop_stray(EVP_PKEY *key, struct ssh_key *k)
{
    unsigned char *point = NULL;
    size_t n = EVP_PKEY_get1_encoded_public_key(key, &point);

    if (n && n < k->blob.len && memcmp(k->blob.data + k->blob.len - n, point, n) != 0) {
        k->stray = true;
        *k->type = '\0';
        buf_clear(&k->blob);
    }
    OPENSSL_free(point);
    ERR_clear_error();
}

static void take_rsa(const EVP_PKEY *key, struct ssh_key *k)
{
    AUTO_BUF(own, SSH_BLOB_MAX);

    rsa_blob(key, &own);
    k->stray = k->blob.len && !strstr(k->type, "-cert-v01@") &&
               (own.len != k->blob.len || memcmp(own.data, k->blob.data, own.len) != 0);
    memcpy(k->type, "ssh-rsa", sizeof "ssh-rsa");
    buf_clear(&k->blob);
    buf_add(&k->blob, own.data, own.len);
}

int rsa_key_examine(struct ssh_key *k)
{
    EVP_PKEY *key = open_key(k);

    if (!key)
        return -1;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        take_rsa(key, k);
    else
        drop_stray(key, k);
    EVP_PKEY_free(key);
    return 0;
}

int ssh_key_sign_rsa(const struct ssh_key *k, const void *data, size_t n, struct buf *signature,
                     struct err *e)
{
    EVP_PKEY *key = open_key(k);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = 0;
    char *room;
    int result = -1;

    if (key && context && EVP_DigestSignInit(context, NULL, EVP_sha512(), NULL, key) == 1 &&
        EVP_DigestSign(context, NULL, &length, data, n) == 1 && (room = buf_room(signature, length)) &&
        EVP_DigestSign(context, (unsigned char *)room, &length, data, n) == 1) {
        buf_grew(signature, length);
        result = 0;
    }
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return result < 0 ? err_set(e, ERR_DATA, "%s does not sign", k->name) : 0;
}
