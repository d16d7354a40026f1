/* SPDX-License-Identifier: MIT */
/* The keeper's answers with each authentication method. The expected values are from Python's hashlib, from
 * Python's `cryptography` (parsec's public keys), and from the reference implementation in RFC 8032's
 * appendix, with the password in place of the seed (client_ed25519). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/text.h>
#include <mysql/auth_method.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>

#define PASSWORD "correct horse battery"
#define SCRAMBLE "abcdefghijklmnopqrstuvwxyz012345"
#define SALT "salt-of-18-bytes-x"

static struct secret *password;

static struct auth auth_with(const char *text, bool closed, bool verified, bool takes_key)
{
    struct auth a = {.closed = closed, .verified = verified, .takes_key = takes_key};

    secret_free(password);
    password = secret_from(text, strlen(text));
    a.password = password;
    memcpy(a.scramble, SCRAMBLE, sizeof a.scramble);
    return a;
}

static void is_hex(const struct buf *b, const char *hex)
{
    char text[512];

    assert_true(2 * b->len < sizeof text);
    (void)sodium_bin2hex(text, sizeof text, (const uint8_t *)b->data, b->len);
    assert_string_equal(text, hex);
}

static void digests(void **state)
{
    struct auth a = auth_with(PASSWORD, false, false, false);
    struct err e = ERR_INIT;
    AUTO_BUF(native, 64);
    AUTO_BUF(sha2, 64);
    AUTO_BUF(ed25519, 64);

    (void)state;
    assert_int_equal(auth_find("mysql_native_password")->answer(&a, &native, &e), AUTH_DONE);
    is_hex(&native, "6df56912a5a827e6402a009be5389c665fe9b96c");
    assert_int_equal(auth_find("caching_sha2_password")->answer(&a, &sha2, &e), AUTH_FAST);
    is_hex(&sha2, "d336ce2144102a68aeff6fa22aaea42e20e0a1f7d98cd947c8170db1d0c080d3");
    assert_int_equal(auth_find("client_ed25519")->answer(&a, &ed25519, &e), AUTH_DONE);
    is_hex(&ed25519, "72249b48ae2f296ff6b7c81f199491b5680a2fb38a2b8b8200f0c29a8c9fd8ba"
                     "30c25ee98e4d6a86045be749b816cd27da5194ae9ac0e81a2cea93289a5b080e");
}

static bool signature_is_valid(const uint8_t public[32], const void *signature, const void *message, size_t n)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, 32);
    EVP_MD_CTX *with = EVP_MD_CTX_new();
    bool valid = EVP_DigestVerifyInit(with, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(with, signature, 64, message, n) == 1;

    EVP_MD_CTX_free(with);
    EVP_PKEY_free(key);
    return valid;
}

/* The public key of the password "secret" is from MariaDB's documentation. */
static void ed25519_of_mariadb(void **state)
{
    struct auth a = auth_with("secret", false, false, false);
    struct err e = ERR_INIT;
    uint8_t public[33];
    AUTO_BUF(out, 64);

    (void)state;
    assert_int_equal(
        EVP_DecodeBlock(public, (const uint8_t *)"ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY=", 44), 33);
    assert_int_equal(auth_ed25519(&a, &out, &e), AUTH_DONE);
    assert_true(signature_is_valid(public, out.data, SCRAMBLE, 32));
}

static void parsec(void **state)
{
    static const char *const public_keys[] = {
        "3ed97c36be62f0c9a2ed8deda7e3216f904f1a391638631ad5cf322ee08b1463",
        "d8cb61bed6717c597f3c24af82d4ebc7e240d71e7e7a37c05c2b1c507bf94d0e",
        "4cbfc1713d9217256a63ab158077390e76d5c075e9608aefaca5f092c810e1e6",
        "aa518240af54ff063daa0f2653d89363c21602fbe35fc4db98aedb9b600b1bab",
    };
    struct auth a = auth_with(PASSWORD, false, false, false);
    struct err e = ERR_INIT;
    AUTO_BUF(empty, 64);
    uint8_t said[20] = "PX" SALT;

    (void)state;
    assert_int_equal(auth_find("parsec")->answer(&a, &empty, &e), AUTH_SALT);
    assert_int_equal(empty.len, 0);
    for (uint8_t i = 0; i < ARRAY_LEN(public_keys); i++) {
        uint8_t public[32], message[64];
        AUTO_BUF(out, 256);
        said[1] = i;
        assert_int_equal(auth_by_salt(&a, said, sizeof said, &out, &e), AUTH_DONE);
        assert_int_equal(out.len, 32 + 64);
        memcpy(message, SCRAMBLE, 32);
        memcpy(message + 32, out.data, 32);
        assert_int_equal(sodium_hex2bin(public, 32, public_keys[i], 64, NULL, NULL, NULL), 0);
        assert_true(signature_is_valid(public, out.data + 32, message, sizeof message));
    }
}

/* A hostile server could keep the keeper busy for hours, or make it derive another key. */
static void parsec_hostile(void **state)
{
    static const struct {
        const char *said;
        size_t n;
    } rows[] = {
        {"P\x04" SALT, 20},
        {"P\xff" SALT, 20},
        {"Q\x01" SALT, 20},
        {"P\x01", 2},
        {"P\x01" SALT "x", 21},
        {"P\x01salt-of-17-bytes-", 19},
        {"", 0},
    };
    struct auth a = auth_with(PASSWORD, true, true, true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = ERR_INIT;
        AUTO_BUF(out, 256);
        assert_int_equal(auth_by_salt(&a, (const uint8_t *)rows[i].said, rows[i].n, &out, &e), AUTH_FAILED);
        assert_int_equal(e.number, 2061);
        assert_string_equal(e.hint, "login = client");
        assert_int_equal(out.len, 0);
    }
}

/* As in the clients, the answer to an empty password is empty; the server then says whether it is right. */
static void empty(void **state)
{
    static const char *const names[] = {"mysql_native_password", "caching_sha2_password", "sha256_password"};
    struct auth a = auth_with("", false, false, false);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct err e = ERR_INIT;
        AUTO_BUF(out, 64);
        assert_int_equal(auth_find(names[i])->answer(&a, &out, &e), AUTH_DONE);
        assert_int_equal(out.len, 0);
    }
}

/* The password itself is sent if others cannot read the connection. Otherwise the server's RSA key is
 * requested, if that is allowed; if not, it is an error. */
static void password_itself(void **state)
{
    static const struct {
        const char *name;
        auth_answer *answer;
        char request;
    } rows[] = {{"sha256", auth_sha256, 1}, {"caching", auth_full, 2}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct auth closed = auth_with(PASSWORD, true, false, false);
        struct err e = ERR_INIT;
        AUTO_BUF(clear, 64);
        AUTO_BUF(request, 64);
        AUTO_BUF(none, 64);
        assert_int_equal(rows[i].answer(&closed, &clear, &e), AUTH_LAST);
        assert_int_equal(clear.len, sizeof PASSWORD);
        assert_memory_equal(clear.data, PASSWORD, sizeof PASSWORD);
        struct auth key = auth_with(PASSWORD, false, false, true);
        assert_int_equal(rows[i].answer(&key, &request, &e), AUTH_KEY);
        assert_int_equal(request.len, 1);
        assert_int_equal(request.data[0], rows[i].request);
        struct auth open = auth_with(PASSWORD, false, false, false);
        assert_int_equal(rows[i].answer(&open, &none, &e), AUTH_FAILED);
        assert_int_equal(none.len, 0);
        assert_string_equal(e.msg, "2061 the account needs TLS, or the server's public key");
        assert_string_equal(e.hint, "tls = required, or server_public_key = yes");
    }
}

static EVP_PKEY *key_put(struct buf *pem, EVP_PKEY *key)
{
    BIO *to = BIO_new(BIO_s_mem());
    char *text;

    assert_int_equal(PEM_write_bio_PUBKEY(to, key), 1);
    long n = BIO_get_mem_data(to, &text);
    buf_add(pem, text, (size_t)n);
    BIO_free(to);
    return key;
}

static void by_key(void **state)
{
    struct auth a = auth_with(PASSWORD, false, false, true);
    struct err e = ERR_INIT;
    AUTO_BUF(pem, 4096);
    AUTO_BUF(out, 1024);
    uint8_t clear[1024];
    size_t n = sizeof clear;
    EVP_PKEY *key = key_put(&pem, EVP_RSA_gen(2048));
    EVP_PKEY_CTX *with = EVP_PKEY_CTX_new(key, NULL);

    (void)state;
    assert_int_equal(auth_by_key(&a, (const uint8_t *)pem.data, pem.len, &out, &e), AUTH_LAST);
    assert_int_equal(EVP_PKEY_decrypt_init(with), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(with, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_decrypt(with, clear, &n, (const uint8_t *)out.data, out.len), 1);
    assert_int_equal(n, sizeof PASSWORD);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(clear[i] ^ (uint8_t)SCRAMBLE[i % 20], (uint8_t)PASSWORD[i]);
    EVP_PKEY_CTX_free(with);
    EVP_PKEY_free(key);
}

static void key_refused(const struct auth *a, const struct buf *pem, const char *expected)
{
    struct err e = ERR_INIT;
    AUTO_BUF(out, 1024);

    assert_int_equal(auth_by_key(a, (const uint8_t *)buf_str(pem), pem->len, &out, &e), AUTH_FAILED);
    assert_int_equal(out.len, 0);
    assert_string_equal(e.msg, expected);
}

/* Keys that are too weak, of another type, no key at all, or too small for the password. */
static void bad_keys(void **state)
{
    static const char unusable[] = "2061 the server's public key cannot be used";
    struct auth a = auth_with(PASSWORD, false, false, true);
    char text[128];
    AUTO_BUF(small, 4096);
    AUTO_BUF(elliptic, 4096);
    AUTO_BUF(none, 4096);
    AUTO_BUF(enough, 4096);

    (void)state;
    EVP_PKEY_free(key_put(&small, EVP_RSA_gen(1023)));
    EVP_PKEY_free(key_put(&elliptic, EVP_EC_gen("P-256")));
    EVP_PKEY_free(key_put(&enough, EVP_RSA_gen(1024)));
    key_refused(&a, &small, unusable);
    key_refused(&a, &elliptic, unusable);
    key_refused(&a, &none, unusable);
    buf_puts(&none, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    key_refused(&a, &none, unusable);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    a = auth_with(text, false, false, true);
    key_refused(&a, &enough, "2061 the password is too long for the server's public key");
}

/* Only a verified server can ask for the password itself with mysql_clear_password. */
static void rows(void **state)
{
    struct auth open = auth_with(PASSWORD, false, false, false),
                closed = auth_with(PASSWORD, true, false, true);
    struct auth verified = auth_with(PASSWORD, true, true, false);
    static const char *const others[] = {"mysql_native_password", "caching_sha2_password", "sha256_password",
                                         "client_ed25519", "parsec"};
    static const char *const unknown[] = {"dialog", "mysql_old_password", "MYSQL_CLEAR_PASSWORD", "",
                                          "authentication_ldap_sasl_client"};
    const struct auth_method *clear = auth_find("mysql_clear_password");
    struct err e = ERR_INIT;
    AUTO_BUF(out, 64);

    (void)state;
    assert_false(auth_allowed(clear, &open));
    assert_false(auth_allowed(clear, &closed));
    assert_true(auth_allowed(clear, &verified));
    assert_false(clear->greets);
    assert_int_equal(clear->answer(&verified, &out, &e), AUTH_LAST);
    assert_memory_equal(out.data, PASSWORD, sizeof PASSWORD);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_true(auth_allowed(auth_find(others[i]), &open));
        assert_int_equal(auth_find(others[i])->greets, i < 2);
    }
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_null(auth_find(unknown[i]));
}

static int finish(void **state)
{
    (void)state;
    secret_free(password);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests), cmocka_unit_test(ed25519_of_mariadb),
        cmocka_unit_test(parsec),  cmocka_unit_test(parsec_hostile),
        cmocka_unit_test(empty),   cmocka_unit_test(password_itself),
        cmocka_unit_test(by_key),  cmocka_unit_test(bad_keys),
        cmocka_unit_test(rows),
    };

    return cmocka_run_group_tests(tests, NULL, finish);
}
