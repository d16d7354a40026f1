/* SPDX-License-Identifier: MIT */
/* AES-128 as MySQL and DBeaver use it to obfuscate their password files, with keys that are publicly
 * known. */
#include "document.h"

#include <openssl/evp.h>

#include <base/buf.h>
#include <ipc/http.h>

#define KEY_BYTES 16

static bool decrypt(const EVP_CIPHER *cipher, const struct field *key, const unsigned char *iv,
                    const struct field *in, struct buf *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *to = (unsigned char *)buf_room(out, in->len + KEY_BYTES);
    int n = 0, last = 0;
    bool good = ctx && to &&
                EVP_DecryptInit_ex(ctx, cipher, NULL, (const unsigned char *)key->bytes, iv) == 1 &&
                EVP_DecryptUpdate(ctx, to, &n, (const unsigned char *)in->bytes, (int)in->len) == 1 &&
                EVP_DecryptFinal_ex(ctx, to + n, &last) == 1;

    EVP_CIPHER_CTX_free(ctx);
    buf_grew(out, good ? (size_t)n + (size_t)last : 0);
    return good;
}

int document_decrypt(const struct record *request, struct record *answer, struct err *e)
{
    struct field key, iv = {0}, in;
    AUTO_BUF(out, RECORD_MAX);

    bool has_iv = record_find(request, HTTP_TAG_IV, &iv);
    if (!record_find(request, HTTP_TAG_SECRET_KEY, &key) || key.len != KEY_BYTES ||
        (has_iv && iv.len != KEY_BYTES) || !record_find(request, HTTP_TAG_BYTES, &in))
        return err_set(e, ERR_PROTOCOL, "no key, or nothing to decrypt");
    if (!decrypt(has_iv ? EVP_aes_128_cbc() : EVP_aes_128_ecb(), &key,
                 has_iv ? (const unsigned char *)iv.bytes : NULL, &in, &out))
        return err_set(e, ERR_DATA, "it cannot be decrypted");
    record_put(answer, HTTP_TAG_BYTES, buf_str(&out), out.len);
    return 0;
}
