/*
 * The provider has one algorithm and no cryptography of its own: its key stream is what OpenSSL's AES-128-CTR
 * makes of zeros (NIST SP 800-38A section 6.5: that is the key stream), wiped when it ends. Anything that is
 * not asked of a stream cipher by libssh2 is not there, and is said not to be.
 */
#include "keystream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define AHEAD 4096
#define KEY_LENGTH 16
#define IV_LENGTH 16

struct keystream {
    EVP_CIPHER_CTX *aes;
    size_t used; /* of `ready` */
    unsigned char ready[AHEAD];
};

static EVP_CIPHER *aes;

static void *stream_new(void *provider)
{
    struct keystream *k = OPENSSL_zalloc(sizeof *k);

    (void)provider;
    if (!k)
        return NULL;
    k->used = AHEAD;
    k->aes = EVP_CIPHER_CTX_new();
    if (k->aes && EVP_EncryptInit_ex2(k->aes, aes, NULL, NULL, NULL) == 1)
        return k;
    EVP_CIPHER_CTX_free(k->aes);
    OPENSSL_free(k);
    return NULL;
}

static void stream_free(void *context)
{
    struct keystream *k = context;

    if (!k)
        return;
    EVP_CIPHER_CTX_free(k->aes);
    OPENSSL_clear_free(k, sizeof *k);
}

static int stream_init(void *context, const unsigned char *key, size_t key_length, const unsigned char *iv,
                       size_t iv_length, const OSSL_PARAM params[])
{
    struct keystream *k = context;

    (void)params;
    if ((key && key_length != KEY_LENGTH) || (iv && iv_length != IV_LENGTH))
        return 0;
    k->used = AHEAD;
    return EVP_EncryptInit_ex2(k->aes, NULL, key, iv, NULL);
}

static int stream_refill(struct keystream *k)
{
    static const unsigned char zeros[AHEAD];
    int n = 0;

    if (EVP_EncryptUpdate(k->aes, k->ready, &n, zeros, AHEAD) != 1 || n != AHEAD)
        return 0;
    k->used = 0;
    return 1;
}

static void add(unsigned char *out, const unsigned char *in, const unsigned char *stream, size_t n)
{
    for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t)) {
        uint64_t a, b;
        memcpy(&a, in, sizeof a);
        memcpy(&b, stream, sizeof b);
        a ^= b;
        memcpy(out, &a, sizeof a);
        in += sizeof a;
        out += sizeof a;
        stream += sizeof a;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] ^ stream[i];
}

static int stream_cipher(void *context, unsigned char *out, size_t *out_length, size_t out_size,
                         const unsigned char *in, size_t n)
{
    struct keystream *k = context;

    *out_length = n;
    if (out_size < n)
        return 0;
    while (n > 0) {
        if (k->used == AHEAD && !stream_refill(k))
            return 0;
        size_t part = n < AHEAD - k->used ? n : AHEAD - k->used;
        add(out, in, k->ready + k->used, part);
        k->used += part;
        in += part;
        out += part;
        n -= part;
    }
    return 1;
}

static int stream_final(void *context, unsigned char *out, size_t *out_length, size_t out_size)
{
    (void)context;
    (void)out;
    (void)out_size;
    *out_length = 0;
    return 1;
}

static int set_size(OSSL_PARAM params[], const char *name, size_t value)
{
    OSSL_PARAM *p = OSSL_PARAM_locate(params, name);

    return !p || OSSL_PARAM_set_size_t(p, value);
}

static int lengths(OSSL_PARAM params[])
{
    return set_size(params, OSSL_CIPHER_PARAM_KEYLEN, KEY_LENGTH) &&
           set_size(params, OSSL_CIPHER_PARAM_IVLEN, IV_LENGTH);
}

static int cipher_params(OSSL_PARAM params[])
{
    OSSL_PARAM *mode = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);

    return (!mode || OSSL_PARAM_set_uint(mode, EVP_CIPH_CTR_MODE)) &&
           set_size(params, OSSL_CIPHER_PARAM_BLOCK_SIZE, 1) && lengths(params);
}

static int context_params(void *context, OSSL_PARAM params[])
{
    (void)context;
    return lengths(params);
}

static const OSSL_PARAM *gettable(void *context, void *provider)
{
    static const OSSL_PARAM list[] = {OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
                                      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL), OSSL_PARAM_END};

    (void)context;
    (void)provider;
    return list;
}

#define FUNCTION(number, name)                                                                               \
    {                                                                                                        \
        number, (void (*)(void))name                                                                         \
    }

static const OSSL_ALGORITHM *algorithms(void *provider, int operation, int *no_cache)
{
    static const OSSL_DISPATCH functions[] = {
        FUNCTION(OSSL_FUNC_CIPHER_NEWCTX, stream_new),
        FUNCTION(OSSL_FUNC_CIPHER_FREECTX, stream_free),
        FUNCTION(OSSL_FUNC_CIPHER_ENCRYPT_INIT, stream_init),
        FUNCTION(OSSL_FUNC_CIPHER_DECRYPT_INIT, stream_init),
        FUNCTION(OSSL_FUNC_CIPHER_UPDATE, stream_cipher),
        FUNCTION(OSSL_FUNC_CIPHER_FINAL, stream_final),
        FUNCTION(OSSL_FUNC_CIPHER_CIPHER, stream_cipher),
        FUNCTION(OSSL_FUNC_CIPHER_GET_PARAMS, cipher_params),
        FUNCTION(OSSL_FUNC_CIPHER_GET_CTX_PARAMS, context_params),
        FUNCTION(OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, gettable),
        {0, NULL},
    };
    static const OSSL_ALGORITHM list[] = {{"AES-128-CTR", "provider=keystream", functions, NULL},
                                          {NULL, NULL, NULL, NULL}};

    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_CIPHER ? list : NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                         void **provider)
{
    static const OSSL_DISPATCH functions[] = {FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, algorithms),
                                              {0, NULL}};

    (void)handle;
    (void)in;
    *out = functions;
    *provider = &aes;
    return 1;
}

void keystream_use(void)
{
    static OSSL_PROVIDER *standard, *ours; /* as long as the process */

    if (standard || ours)
        return;
    /* A provider that is loaded by name takes the place of the default one, unless that is loaded so too. */
    standard = OSSL_PROVIDER_load(NULL, "default");
    aes = standard ? EVP_CIPHER_fetch(NULL, "AES-128-CTR", "provider=default") : NULL;
    if (!aes || OSSL_PROVIDER_add_builtin(NULL, "keystream", provider_init) != 1)
        return;
    ours = OSSL_PROVIDER_load(NULL, "keystream");
    if (ours)
        (void)EVP_set_default_properties(NULL, "?provider=keystream");
}
