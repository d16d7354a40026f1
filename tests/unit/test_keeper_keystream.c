/* AES-128-CTR of our provider gives what OpenSSL's own gives, however it is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/evp.h>
#include <openssl/provider.h>

#include <keeper/keystream.h>

#define LENGTH 20000

static const unsigned char key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
/* A counter that overflows its last eight bytes on the way. */
static const unsigned char iv[16] = {9, 9, 9, 9, 9, 9, 9, 9, 255, 255, 255, 255, 255, 255, 255, 250};

static void fill(unsigned char *to)
{
    for (size_t i = 0; i < LENGTH; i++)
        to[i] = (unsigned char)(i * 7 + i / 251);
}

static void by_openssl(const unsigned char *in, unsigned char *out)
{
    EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-128-CTR", "provider=default");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0;

    assert_non_null(aes);
    assert_int_equal(EVP_EncryptInit_ex2(context, aes, key, iv, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &n, in, LENGTH), 1);
    assert_int_equal(n, LENGTH);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(aes);
}

static void ours_is_taken(void **state)
{
    EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    EVP_CIPHER *other = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);

    (void)state;
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(aes)), "keystream");
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(other)), "default");
    assert_int_equal(EVP_CIPHER_get_key_length(aes), 16);
    assert_int_equal(EVP_CIPHER_get_iv_length(aes), 16);
    assert_int_equal(EVP_CIPHER_get_block_size(aes), 1);
    assert_int_equal(EVP_CIPHER_get_mode(aes), EVP_CIPH_CTR_MODE);
    EVP_CIPHER_free(aes);
    EVP_CIPHER_free(other);
}

/* The way libssh2 goes. */
static void blocks_are_the_same(void **state)
{
    static unsigned char in[LENGTH], want[LENGTH], got[LENGTH];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    (void)state;
    fill(in);
    by_openssl(in, want);
    assert_int_equal(EVP_CipherInit(context, EVP_aes_128_ctr(), key, iv, 1), 1);
    for (size_t i = 0; i < LENGTH; i += 16)
        assert_true(EVP_Cipher(context, got + i, in + i, 16) >= 0);
    assert_memory_equal(got, want, LENGTH);
    EVP_CIPHER_CTX_free(context);
}

static void odd_portions_are_the_same(void **state)
{
    static unsigned char in[LENGTH], want[LENGTH], got[LENGTH];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t at = 0;

    (void)state;
    fill(in);
    by_openssl(in, want);
    assert_int_equal(EVP_DecryptInit_ex2(context, EVP_aes_128_ctr(), key, iv, NULL), 1);
    for (size_t portion = 1; at < LENGTH; portion = portion * 3 % 4999 + 1) {
        int n = 0;
        size_t part = portion < LENGTH - at ? portion : LENGTH - at;
        assert_int_equal(EVP_DecryptUpdate(context, got + at, &n, in + at, (int)part), 1);
        assert_int_equal(n, part);
        at += part;
    }
    assert_memory_equal(got, want, LENGTH);
    EVP_CIPHER_CTX_free(context);
}

static void a_new_iv_begins_anew(void **state)
{
    static unsigned char in[LENGTH], want[LENGTH], got[LENGTH];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0;

    (void)state;
    fill(in);
    by_openssl(in, want);
    assert_int_equal(EVP_EncryptInit_ex2(context, EVP_aes_128_ctr(), key, iv, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, got, &n, in, 100), 1);
    assert_int_equal(EVP_EncryptInit_ex2(context, NULL, NULL, iv, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, got, &n, in, LENGTH), 1);
    assert_memory_equal(got, want, LENGTH);
    EVP_CIPHER_CTX_free(context);
}

static int use(void **state)
{
    (void)state;
    keystream_use();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_is_taken),
        cmocka_unit_test(blocks_are_the_same),
        cmocka_unit_test(odd_portions_are_the_same),
        cmocka_unit_test(a_new_iv_begins_anew),
    };

    return cmocka_run_group_tests(tests, use, NULL);
}
