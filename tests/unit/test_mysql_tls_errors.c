/* SPDX-License-Identifier: MIT */
/* The errors of failed handshakes: each row of the tables, with a real certificate and a real server, and
 * certificates with hostile texts. */
#include <time.h>

#include "tls_fixture.h"

static struct made ca;

static int begin_with_ca(void **state)
{
    if (begin(state) < 0)
        return -1;
    if (!ca.cert)
        ca = make(NULL, "Own CA", NULL);
    put("ca", ca.cert, NULL, NULL);
    options.ca_own = true;
    return 0;
}

/* Checks the result of a handshake with a server that has this certificate, and frees the certificate. */
static void gives(struct made made, const char *expected)
{
    SSL_CTX *peer = server_with(&made);
    struct err e = ERR_INIT;

    assert_int_equal(tls_prepare(&options, &e), 0);
    assert_string_equal(handshake_result(peer, &e), expected);
    assert_int_equal(e.number, expected[0] == 'T' ? 0 : 2026);
    SSL_CTX_free(peer);
    X509_free(made.cert);
    EVP_PKEY_free(made.key);
}

static struct made named(const char *sans)
{
    return make(&ca, "db", sans);
}

#define NOT_VALID "2026 certificate is not valid for db.test\n"
#define CHECK_HOST "hint: check host; if the server is right, ask for a certificate with that name"

static void wrong_names(void **state)
{
    (void)state;
    gives(named("DNS:db.test"), "TLSv1.3");
    gives(named("DNS:a.test"), NOT_VALID "it names a.test\nhint: host = a.test");
    gives(named("DNS:a.test,DNS:b.test"), NOT_VALID "it names a.test, b.test\nhint: host = a.test");
    gives(named("DNS:*.a.test"), NOT_VALID "it names *.a.test\nhint: host = NAME.a.test");
    gives(named("DNS:a.test,DNS:*.b.test"), NOT_VALID "it names a.test, *.b.test\nhint: host = a.test");
    gives(named("IP:127.0.0.1"), NOT_VALID "it names 127.0.0.1\nhint: host = 127.0.0.1");
    gives(named("IP:fe80::1,DNS:x"), NOT_VALID "it names fe80::1, x\nhint: host = fe80::1");
    gives(named("email:a@b,URI:http://c/,DNS:d"), NOT_VALID "it names d\nhint: host = d");
    gives(named("DNS:1,DNS:2,DNS:3,DNS:4"), NOT_VALID "it names 1, 2, 3, 4\nhint: host = 1");
    gives(named("DNS:1,DNS:2,DNS:3,IP:127.0.0.1,DNS:5,DNS:6"),
          NOT_VALID "it names 1, 2, 3, 127.0.0.1, ...\nhint: host = 1");
    gives(named(NULL), NOT_VALID "it names db\nhint: host = db"); /* the common name */
    gives(named("email:a@b"), NOT_VALID "it names db\nhint: host = db");
    gives(make(&ca, "", "email:a@b"), NOT_VALID "it names no host\n" CHECK_HOST);
    gives(make(&ca, "Our Database", NULL), NOT_VALID "it names Our Database\n" CHECK_HOST);
    options.name = (char *)(uintptr_t) "127.0.0.2";
    gives(named("IP:127.0.0.1"),
          "2026 certificate is not valid for 127.0.0.2\nit names 127.0.0.1\nhint: host = 127.0.0.1");
}

/* Anyone can get a certificate from a public CA, so the hint does not suggest its names. */
static void many_ca_certificates(void **state)
{
    (void)state;
    for (int i = 2; i <= 9; i++) {
        AUTO_FREE(char *, name);
        name = mem_printf("CA %d", i);
        struct made more = make(NULL, name, NULL);
        put("ca", more.cert, NULL, NULL);
        X509_free(more.cert);
        EVP_PKEY_free(more.key);
        options.ca_own = true;
        gives(named("DNS:a.test"), i < 9 ? NOT_VALID "it names a.test\nhint: host = a.test"
                                         : NOT_VALID "it names a.test\n" CHECK_HOST);
        assert_int_equal(options.ca_own, i < 9);
    }
    options.ca_own = false;
    gives(named("DNS:a.test"), NOT_VALID "it names a.test\n" CHECK_HOST);
}

/* Generates a certificate with these bytes as its only subject alternative name. */
static struct made named_bytes(const char *bytes, size_t n, int type)
{
    struct made made = make(&ca, "db", NULL);
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *string = ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

    assert_int_equal(ASN1_STRING_set(string, bytes, (int)n), 1);
    GENERAL_NAME_set0_value(name, type, string);
    sk_GENERAL_NAME_push(list, name);
    assert_int_equal(X509_add1_ext_i2d(made.cert, NID_subject_alt_name, list, 0, 0), 1);
    GENERAL_NAMES_free(list);
    assert_true(X509_sign(made.cert, ca.key, EVP_sha256()) > 0);
    return made;
}

static void hostile_names(void **state)
{
    static const char line[] = "a\nhint: rm", screen[] = "a\x1b[31mb", nul[] = "db.test\0.evil";
    AUTO_FREE(char *, cut);
    char most[300];

    (void)state;
    gives(named_bytes(line, sizeof line - 1, GEN_DNS), NOT_VALID "it names a?hint: rm\n" CHECK_HOST);
    gives(named_bytes(screen, sizeof screen - 1, GEN_DNS), NOT_VALID "it names a?[31mb\n" CHECK_HOST);
    gives(named_bytes(nul, sizeof nul - 1, GEN_DNS), NOT_VALID "it names db.test?.evil\n" CHECK_HOST);
    gives(named_bytes("$(id)", 5, GEN_DNS), NOT_VALID "it names $(id)\n" CHECK_HOST);
    gives(named_bytes("a\xc3\xa9", 3, GEN_DNS), NOT_VALID "it names a\xc3\xa9\n" CHECK_HOST);
    gives(named_bytes("12345", 5, GEN_IPADD), NOT_VALID "it names db\nhint: host = db");
    memset(most, 'a', sizeof most);
    most[0] = '*';
    cut = mem_printf(NOT_VALID "it names *%.*s\nhint: host = NAME%.*s", 198, most + 1, 192, most + 1);
    gives(named_bytes(most, sizeof most, GEN_DNS), cut);
    most[0] = 'a';
    free(cut);
    cut = mem_printf(NOT_VALID "it names %.*s\nhint: host = %.*s", 199, most, 199, most);
    gives(named_bytes(most, sizeof most, GEN_DNS), cut);
    gives(named_bytes(most, 200, GEN_DNS), cut);
}

static void date_in(char text[16], long seconds)
{
    time_t at = time(NULL) + seconds;
    struct tm tm;

    assert_int_equal(strftime(text, 16, "%Y-%m-%d", gmtime_r(&at, &tm)), 10);
}

#define CHECK_CLOCK "hint: renew it on the server; or correct this machine's clock"
#define CHECK_CA "hint: set tls_ca to the certificate of the CA that signed the server's certificate"

static void dates(void **state)
{
    AUTO_FREE(char *, expected);
    char was[16], is[16];

    (void)state;
    do { /* again if the date has changed meanwhile */
        date_in(was, -40 * DAY);
        struct made old = make_for(&ca, "old", "DNS:db.test", -50 * DAY, -40 * DAY);
        date_in(is, -40 * DAY);
        free(expected);
        expected = mem_printf("2026 certificate has expired on %s\nit is for old\n" CHECK_CLOCK, was);
        if (text_equal(was, is))
            gives(old, expected);
    } while (!text_equal(was, is));
    gives(make_for(&ca, "early", "DNS:db.test", 40 * DAY, 50 * DAY),
          "2026 certificate is not valid yet\nit is for early\n" CHECK_CLOCK);
    gives(make_for(&ca, "early", "DNS:a.test", 40 * DAY, 50 * DAY), /* the wrong name is not reported */
          "2026 certificate is not valid yet\nit is for early\n" CHECK_CLOCK);
}

static void untrusted_certificates(void **state)
{
    struct made same = make(NULL, "Own CA", NULL), other = make(NULL, "Other\nCA", NULL),
                root = make(NULL, "Root", NULL);

    (void)state;
    gives(make(NULL, "self", "DNS:db.test"),
          "2026 certificate is self-signed, and not in ca\nit is for self\n"
          "hint: set tls_ca to a copy of it that you got in a safe way");
    gives(make(&other, "db", "DNS:db.test"),
          "2026 certificate is from a CA that is not in ca\nit names Other?CA\n" CHECK_CA);
    gives(make(&same, "db", "DNS:db.test"),
          "2026 certificate is not signed by the CA in ca that it names\nit names Own CA\n" CHECK_CA);
    gives(make(&same, "db", "DNS:a.test"),
          "2026 certificate is not signed by the CA in ca that it names\nit names Own CA\n" CHECK_CA);
    options.name = (char *)(uintptr_t) "127.0.0.2"; /* nor is a wrong address */
    gives(make(&other, "db", "IP:127.0.0.1"),
          "2026 certificate is from a CA that is not in ca\nit names Other?CA\n" CHECK_CA);
    gives(make(&same, "db", "IP:127.0.0.1"),
          "2026 certificate is not signed by the CA in ca that it names\nit names Own CA\n" CHECK_CA);
    options.name = (char *)(uintptr_t) "db.test";
    struct made leaf = make(&root, "db", "DNS:db.test");
    SSL_CTX *peer = server_with(&leaf);
    struct err e = ERR_INIT;
    assert_int_equal(SSL_CTX_add1_chain_cert(peer, root.cert), 1);
    assert_int_equal(tls_prepare(&options, &e), 0);
    assert_string_equal(handshake_result(peer, &e),
                        "2026 certificate is from a CA that is not in ca\nit names Root\n" CHECK_CA);
    SSL_CTX_free(peer);
}

/* A certificate for clients only, with the right and with a wrong name. */
static void wrong_purpose(void **state)
{
    AUTO_FREE(char *, expected);

    (void)state;
    expected = mem_printf("2026 certificate: %s\n" CHECK_CA,
                          X509_verify_cert_error_string(X509_V_ERR_INVALID_PURPOSE));
    for (int i = 0; i < 2; i++) {
        struct made client = make(&ca, "db", i ? "DNS:a.test" : "DNS:db.test");
        extend(client.cert, NID_ext_key_usage, "clientAuth");
        assert_true(X509_sign(client.cert, ca.key, EVP_sha256()) > 0);
        gives(client, expected);
    }
}

/* Checks the error if a server sends these bytes and closes. */
static void answer_gives(const char *bytes, size_t n, unsigned number, const char *expected)
{
    struct err e = ERR_INIT;
    struct both b;

    assert_int_equal(tls_prepare(&options, &e), 0);
    assert_int_equal(handshake_or_raw(&b, NULL, bytes, n, &e), -1);
    assert_string_equal(error_text(&e), expected);
    assert_int_equal(e.number, number);
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_int_equal(ERR_peek_error(), 0);
    close_both(&b);
}

#define GONE                                                                                                 \
    "2013 db:3306: the server closed the connection during the TLS handshake\n"                              \
    "hint: check tls_version; the server's own log may say more"

static void no_handshake(void **state)
{
    (void)state;
    gives(named("DNS:a.test"),
          NOT_VALID "it names a.test\nhint: host = a.test"); /* must not be reported again below */
    answer_gives("", 0, 2013, GONE);
    answer_gives("\x15\x03\x03", 3, 2013, GONE);
    answer_gives("I am no TLS server at all", 25, 2026,
                 "2026 the server does not speak TLS\nhint: check host and port");
    answer_gives(
        "\x15\x03\x03\0\x02\x02\x28", 7, 2026,
        "2026 the server has no cipher in common with broker\nhint: check tls_ciphers and tls_version");
    answer_gives("\x15\x03\x03\0\x02\x02\x46", 7, 2026,
                 "2026 the server supports no TLS version that tls_version allows\n"
                 "hint: set tls_version = TLSv1.2,TLSv1.3, or upgrade the server");
    answer_gives(
        "\x15\x03\x03\0\x02\x02\x50", 7, 2026,
        "2026 TLS: tlsv1 alert internal error\nhint: check that it is a MySQL server; its own log may "
        "say more");
}

int main(void)
{
#define WITH(begin, test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(begin_with_ca, no_handshake),
        WITH(begin_with_ca, wrong_names),
        WITH(begin_with_ca, many_ca_certificates),
        WITH(begin_with_ca, hostile_names),
        WITH(begin_with_ca, dates),
        WITH(begin_with_ca, untrusted_certificates),
        WITH(begin_with_ca, wrong_purpose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
