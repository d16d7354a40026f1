/* SPDX-License-Identifier: MIT */
/* TLS to the server, from the options to a complete handshake with a real server: what is verified at each
 * level, and which names, versions, ciphers and files are accepted. */
#include "tls_fixture.h"

static struct made ca, other, server;

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static int begin_with_ca(void **state)
{
    if (begin(state) < 0)
        return -1;
    if (!ca.cert) {
        ca = make(NULL, "Own CA", NULL);
        other = make(NULL, "Other CA", NULL);
        server = make(&ca, "db", "DNS:db.test,DNS:*.wild.test,DNS:d*.part.test,IP:127.0.0.1,IP:::1");
    }
    put("ca", ca.cert, NULL, NULL);
    put("other", other.cert, NULL, NULL);
    return 0;
}

static void prepared(void)
{
    struct err e = ERR_INIT;

    assert_int_equal(tls_prepare(&options, &e), 0);
}

static void refused(const char *expected)
{
    struct err e = ERR_INIT;

    assert_int_equal(tls_prepare(&options, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(error_text(&e), expected);
    assert_int_equal(ERR_peek_error(), 0);
}

#define NOT_BY_CA                                                                                            \
    "2026 certificate is from a CA that is not in other\nit names Own CA\n"                                  \
    "hint: set tls_ca to the certificate of the CA that signed the server's certificate"
#define NOT_FOR_NAME                                                                                         \
    "2026 certificate is not valid for db.elsewhere\n"                                                       \
    "it names db.test, *.wild.test, d*.part.test, 127.0.0.1, ...\n"                                          \
    "hint: check host; if the server is right, ask for a certificate with that name"

static void levels(void **state)
{
    static const struct {
        enum keeper_tls level;
        const char *name, *ca, *expected;
    } rows[] = {{KEEPER_TLS_NAME, "db.test", "ca", "TLSv1.3"},
                {KEEPER_TLS_NAME, "db.elsewhere", "ca", NOT_FOR_NAME},
                {KEEPER_TLS_NAME, "db.test", "other", NOT_BY_CA},
                {KEEPER_TLS_NAME, "db.elsewhere", "other", NOT_BY_CA},
                {KEEPER_TLS_CHAIN, "db.elsewhere", "ca", "TLSv1.3"},
                {KEEPER_TLS_CHAIN, NULL, "ca", "TLSv1.3"},
                {KEEPER_TLS_CHAIN, "db.test", "other", NOT_BY_CA},
                {KEEPER_TLS_ENCRYPT, "db.elsewhere", NULL, "TLSv1.3"},
                {KEEPER_TLS_ENCRYPT, NULL, "other", "TLSv1.3"}};
    SSL_CTX *peer = server_with(&server);
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        options =
            (struct tls_options){.level = rows[i].level, .name = text(rows[i].name), .ca = text(rows[i].ca)};
        prepared();
        assert_string_equal(handshake_result(peer, &e), rows[i].expected);
    }
    SSL_CTX_free(peer);
}

/* A level needs the options that it verifies with. */
static void levels_without_their_options(void **state)
{
    (void)state;
    options.name = NULL;
    refused("no name to verify the server's certificate with\nhint: ");
    options = (struct tls_options){.level = KEEPER_TLS_NAME, .name = text("db.test")};
    refused("no tls_ca to verify the server's certificate with\nhint: ");
    options.level = KEEPER_TLS_CHAIN;
    refused("no tls_ca to verify the server's certificate with\nhint: ");
}

/* Names, and the server name that is sent for each (RFC 6066: none for an address). */
static void names(void **state)
{
    static const struct {
        const char *name, *sni;
        bool good;
    } rows[] = {{"db.test", "db.test", true},
                {"DB.test", "DB.test", true},
                {"127.0.0.1", "", true},
                {"::1", "", true},
                {"127.0.0.2", "", false},
                {"::2", "", false},
                {"a.wild.test", "a.wild.test", true},
                {"a.b.wild.test", "a.b.wild.test", false},
                {"wild.test", "wild.test", false},
                {"db.part.test", "db.part.test", false},
                {"db.test.evil", "db.test.evil", false},
                {"test", "test", false}};
    SSL_CTX *peer = server_with(&server);
    struct err e = ERR_INIT;
    struct both b;

    (void)state;
    for (enum keeper_tls level = KEEPER_TLS_ENCRYPT; level <= KEEPER_TLS_NAME; level++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            options = (struct tls_options){.level = level, .name = text(rows[i].name), .ca = text("ca")};
            prepared();
            assert_int_equal(handshake(&b, peer, &e), rows[i].good || level != KEEPER_TLS_NAME ? 0 : -1);
            assert_string_equal(b.sni, rows[i].sni);
            close_both(&b);
        }
    }
    SSL_CTX_free(peer);
}

/* A name that is too long to be sent is an error. If it were left out, it would not be verified either. */
static void name_too_long(void **state)
{
    static char name[300];
    struct err e = ERR_INIT;

    (void)state;
    memset(name, 'a', sizeof name - 1);
    options.name = name;
    prepared();
    assert_null(tls_new(STDIN_FILENO, &e));
    assert_int_equal(e.code, ERR_BUG);
    assert_int_equal(ERR_peek_error(), 0);
}

static SSL_CTX *server_of_versions(int least, int most)
{
    SSL_CTX *peer = server_with(&server);

    SSL_CTX_set_security_level(peer, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(peer, least), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(peer, most), 1);
    return peer;
}

#define NO_VERSION                                                                                           \
    "2026 the server supports no TLS version that tls_version allows\n"                                      \
    "hint: set tls_version = TLSv1.2,TLSv1.3, or upgrade the server"

static void versions(void **state)
{
    static const struct {
        const char *version;
        int most;
        const char *expected;
    } rows[] = {{NULL, TLS1_3_VERSION, "TLSv1.3"},
                {NULL, TLS1_2_VERSION, "TLSv1.2"},
                {NULL, TLS1_1_VERSION, NO_VERSION},
                {"TLSv1.2", TLS1_3_VERSION, "TLSv1.2"},
                {"TLSv1.3", TLS1_3_VERSION, "TLSv1.3"},
                {"TLSv1.3", TLS1_2_VERSION, NO_VERSION},
                {", TLSv1.3,, TLSv1.2 ,", TLS1_2_VERSION, "TLSv1.2"},
                {"TLSv1,TLSv1.1,TLSv1.2", TLS1_3_VERSION, "TLSv1.2"},
                {"TLSv1.1,TLSv1.2", TLS1_1_VERSION, NO_VERSION}};
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SSL_CTX *peer = server_of_versions(TLS1_VERSION, rows[i].most);

        options.version = text(rows[i].version);
        prepared();
        assert_string_equal(handshake_result(peer, &e), rows[i].expected);
        SSL_CTX_free(peer);
    }
    static const char *const none[] = {"TLSv1.4", "TLSv1.2,tlsv1.3", "TLSv1.2;TLSv1.3", "TLSv1.22", "TLSv1."};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        AUTO_FREE(char *, expected);
        expected =
            mem_printf("tls_version %s: no such version\nhint: tls_version = TLSv1.2,TLSv1.3", none[i]);
        options.version = text(none[i]);
        refused(expected);
    }
    options.version = text("TLSv1.1,TLSv1");
    refused("tls_version TLSv1.1,TLSv1: too old\nhint: tls_version = TLSv1.2,TLSv1.3");
    options.version = text(", ");
    refused("tls_version , : too old\nhint: tls_version = TLSv1.2,TLSv1.3");
}

static void ciphers(void **state)
{
    static const struct {
        const char *ciphers;
        int most;
        const char *chosen;
    } rows[] = {{"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
                {"TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
                {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
                {"ECDHE-ECDSA-CHACHA20-POLY1305", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
                {"ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_CCM_SHA256,ECDHE-ECDSA-AES128-GCM-SHA256 ",
                 TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
                {"ECDHE-RSA-AES128-GCM-SHA256:, TLS_AES_128_CCM_SHA256,ECDHE-ECDSA-AES128-GCM-SHA256 ",
                 TLS1_3_VERSION, "TLS_AES_128_CCM_SHA256"},
                {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
                {"TLS_AES_128_GCM_SHA256", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
                {NULL, TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"}};
    struct err e = ERR_INIT;
    struct both b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SSL_CTX *peer = server_of_versions(TLS1_2_VERSION, rows[i].most);

        assert_int_equal(SSL_CTX_set_ciphersuites(peer, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                                                        "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256"),
                         1);
        options.ciphers = text(rows[i].ciphers);
        prepared();
        assert_int_equal(handshake(&b, peer, &e), 0);
        assert_string_equal(SSL_get_cipher_name(b.client), rows[i].chosen);
        close_both(&b);
        SSL_CTX_free(peer);
    }
}

static void unknown_ciphers(void **state)
{
    static const char *const rows[] = {"nonsense", "TLS_NONSENSE",
                                       "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_NONSENSE",
                                       "nonsense:TLS_AES_128_GCM_SHA256"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE(char *, expected);
        expected = mem_printf(
            "tls_ciphers %s: no cipher that this OpenSSL has\nhint: openssl ciphers -s lists them", rows[i]);
        options.ciphers = text(rows[i]);
        refused(expected);
    }
    for (int new = 0; new < 2; new ++) { /* longer than the buffers, and valid up to there */
        AUTO_BUF(many, 20000);
        struct err e = ERR_INIT;

        while (many.len < 9000)
            buf_puts(&many, new ? "TLS_AES_128_GCM_SHA256:" : "ECDHE-ECDSA-AES128-GCM-SHA256:");
        options.ciphers = text(buf_str(&many));
        assert_int_equal(tls_prepare(&options, &e), -1);
        assert_string_equal(e.hint, "openssl ciphers -s lists them");
    }
    options.ciphers = text("ECDHE-RSA-AES128-GCM-SHA256");
    options.version = text("TLSv1.2");
    SSL_CTX *peer = server_with(&server);
    struct err e = ERR_INIT;
    prepared();
    assert_string_equal(handshake_result(peer, &e), "2026 the server has no cipher in common with broker\n"
                                                    "hint: check tls_ciphers and tls_version");
    SSL_CTX_free(peer);
}

/* --- the client certificate --- */

static struct made own, pair; /* `pair` has another key of the same type */

static int begin_with_own(void **state)
{
    if (begin_with_ca(state) < 0)
        return -1;
    if (!own.cert) {
        own = make(&ca, "own", "DNS:own");
        pair = make(&ca, "pair", "DNS:pair");
    }
    put("own", own.cert, NULL, NULL);
    put("own.key", NULL, own.key, NULL);
    return 0;
}

static int always(int good, X509_STORE_CTX *store)
{
    (void)good;
    (void)store;
    return 1;
}

static void sends_own(const char *cert, const char *key, const X509 *expected_cert)
{
    SSL_CTX *peer = server_with(&server);
    struct err e = ERR_INIT;
    struct both b;

    options.cert = text(cert);
    options.key = text(key);
    prepared();
    SSL_CTX_set_verify(peer, SSL_VERIFY_PEER, always);
    assert_int_equal(handshake(&b, peer, &e), 0);
    X509 *sent = SSL_get1_peer_certificate(b.server);
    assert_int_equal(!sent, !expected_cert);
    if (expected_cert)
        assert_int_equal(X509_cmp(sent, expected_cert), 0);
    X509_free(sent);
    close_both(&b);
    SSL_CTX_free(peer);
}

static void own_certificate(void **state)
{
    (void)state;
    sends_own(NULL, NULL, NULL);
    sends_own("own", "own.key", own.cert);
    put("both", own.cert, own.key, NULL);
    sends_own("both", NULL, own.cert);
    sends_own("both", "own.key", own.cert);
}

static void own_refused(const char *cert, const char *key, const char *expected)
{
    options.cert = text(cert);
    options.key = text(key);
    refused(expected);
}

static void bad_own_certificate(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);

    (void)state;
    put("locked.key", NULL, own.key, "phrase");
    put("other.key", NULL, pair.key, NULL);
    put("rsa.key", NULL, rsa, NULL);
    put_text("empty", "");
    EVP_PKEY_free(rsa);
    own_refused(NULL, "own.key",
                "tls_key without tls_cert\nhint: set tls_cert to the certificate of that key");
    own_refused(
        "none", NULL,
        "tls_cert none: No such file or directory\nhint: set tls_cert to a PEM file that you can read");
    own_refused("empty", "own.key",
                "tls_cert empty: no certificate in it\nhint: set tls_cert to a PEM file that you can read");
    own_refused("own", "none",
                "tls_key none: No such file or directory\nhint: set tls_key to a PEM file that you can read");
    own_refused("own", "empty",
                "tls_key empty: no private key in it\nhint: set tls_key to a PEM file that you can read");
    own_refused("own", NULL,
                "tls_key own: no private key in it\nhint: set tls_key to a PEM file that you can read");
    own_refused("own", "other.key",
                "tls_key other.key: it is not the key of tls_cert\ntls_cert own\n"
                "hint: set tls_cert and tls_key to a pair");
    own_refused("own", "rsa.key",
                "tls_key rsa.key: it is not the key of tls_cert\ntls_cert own\n"
                "hint: set tls_cert and tls_key to a pair");
    own_refused("own", "locked.key",
                "tls_key locked.key: it has a passphrase\n"
                "hint: openssl pkey -in locked.key -out KEY, chmod 600 KEY, and set tls_key = KEY");
}

/* --- resuming --- */

static bool resumed(SSL_CTX *peer, struct err *e)
{
    struct both b;

    assert_int_equal(handshake(&b, peer, e), 0);
    bool reused = SSL_session_reused(b.client);
    close_both(&b);
    return reused;
}

/* After a failure no session is resumed any more. That also holds for the tests after this one, which have
 * other options. */
static void sessions(void **state)
{
    SSL_CTX *peer = server_with(&server);
    struct err e = ERR_INIT;

    (void)state;
    prepared();
    assert_false(resumed(peer, &e));
    assert_true(resumed(peer, &e));
    assert_true(resumed(peer, &e));
    tls_failed();
    assert_false(resumed(peer, &e));
    assert_false(resumed(peer, &e));
    SSL_CTX_free(peer);
}

/* If there was no session to resume, that cannot have caused the failure, so later sessions are resumed. */
static void failed_without_a_session(void **state)
{
    SSL_CTX *peer = server_with(&server);
    struct err e = ERR_INIT;

    (void)state;
    prepared();
    tls_failed();
    assert_false(resumed(peer, &e));
    assert_true(resumed(peer, &e));
    SSL_CTX_free(peer);
}

int main(void)
{
#define WITH(begin, test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(begin_with_ca, failed_without_a_session),
        WITH(begin_with_ca, sessions),
        WITH(begin_with_ca, levels),
        WITH(begin_with_ca, levels_without_their_options),
        WITH(begin_with_ca, names),
        WITH(begin_with_ca, name_too_long),
        WITH(begin_with_ca, versions),
        WITH(begin_with_ca, ciphers),
        WITH(begin_with_ca, unknown_ciphers),
        WITH(begin_with_own, own_certificate),
        WITH(begin_with_own, bad_own_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
