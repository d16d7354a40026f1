/* SPDX-License-Identifier: MIT */
/*
 * The option files that users may save (`params --format mycnf` and `mycnf-plain`): they contain only what
 * differs from the defaults, and no password if it is masked; a value for which the client has no option is
 * an error. test_option_file.c tests the files of a session.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <output/client.h>

static struct connection over_tcp(const struct secret *password)
{
    return (struct connection){.user = "app",
                               .password = password,
                               .host = "db.example.com",
                               .port = 3307,
                               .database = "shop",
                               .tls_ca = "/ca.pem",
                               .connect_timeout = 10};
}

enum kind { MYSQL, MARIADB, PLAIN };

/* Checks the file, or the error and its hint. */
static void expect_file(const struct connection *c, enum kind kind, bool masked, const char *text)
{
    AUTO_BUF(out, 131072);
    struct err e = ERR_INIT;
    int result = kind == PLAIN ? client_params_plain(c, masked, &out, &e)
                               : client_params_file(c, kind == MYSQL ? FLAVOUR_MYSQL : FLAVOUR_MARIADB,
                                                    masked, &out, &e);

    if (result < 0) {
        assert_int_equal(out.len, 0);
        assert_int_equal(e.code, ERR_DATA);
        buf_printf(&out, "%s\n%s", e.msg, e.hint);
    }
    assert_string_equal(buf_str(&out), text);
}

#define HEAD "[client]\nuser=\"app\"\npassword=\"s3cret\"\nhost=\"db.example.com\"\nport=3307\nprotocol=TCP\n"
#define SHOP "[mysql]\ndatabase=\"shop\"\n"
#define CA "ssl-ca=\"/ca.pem\"\nssl-capath=/dev/null\n"
#define CANNOT(level)                                                                                        \
    "format mycnf: MariaDB's clients have no option for tls = " level "\n--client mysql, or broker connect"
#define PLAIN_HEAD                                                                                           \
    "[client]\nuser=app\npassword=s3cret\nhost=db.example.com\nport=3307\nprotocol=TCP\ndatabase=shop\n"
#define MARIADB_GROUP(verify, ssl) "[client-mariadb]\nssl-verify-server-cert=" verify "\nssl=" ssl "\n"

static void levels(void **state)
{
    static const struct {
        enum tls_level level;
        const char *mysql, *mariadb, *plain;
    } rows[] = {
        {TLS_DISABLED, HEAD "ssl-mode=DISABLED\n" SHOP,
         HEAD "skip-ssl\ndisable-ssl-verify-server-cert\n" SHOP, PLAIN_HEAD MARIADB_GROUP("0", "0")},
        {TLS_PREFERRED, HEAD "ssl-mode=PREFERRED\n" SHOP, HEAD "ssl=1\ndisable-ssl-verify-server-cert\n" SHOP,
         PLAIN_HEAD MARIADB_GROUP("0", "1")},
        {TLS_REQUIRED, HEAD "ssl-mode=REQUIRED\n" SHOP, CANNOT("required"),
         PLAIN_HEAD MARIADB_GROUP("1", "1")},
        {TLS_VERIFY_CA, HEAD "ssl-mode=VERIFY_CA\n" CA SHOP, CANNOT("verify-ca"),
         PLAIN_HEAD MARIADB_GROUP("1", "1")},
        {TLS_VERIFY_IDENTITY, HEAD "ssl-mode=VERIFY_IDENTITY\n" CA SHOP,
         HEAD "ssl=1\nssl-verify-server-cert\n" CA SHOP,
         PLAIN_HEAD "ssl-ca=/ca.pem\nssl-mode=VERIFY_IDENTITY\n" MARIADB_GROUP("1", "1")},
    };
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        c.tls = rows[i].level;
        expect_file(&c, MYSQL, false, rows[i].mysql);
        expect_file(&c, MARIADB, false, rows[i].mariadb);
        expect_file(&c, PLAIN, false, rows[i].plain);
    }
}

/* MariaDB's clients do not verify the name of a server on this machine. A socket has no name. */
static void names_that_mariadb_does_not_verify(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", "localhost"};
    AUTO_SECRET(password);
    struct err e = ERR_INIT;

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    c.tls = TLS_VERIFY_IDENTITY;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        c.host = hosts[i];
        expect_file(&c, MARIADB, false, CANNOT("verify-identity to this machine"));
    }
    c.host = NULL;
    assert_int_equal(client_check_mariadb("x", &c, &e), 0);
    c.tls = TLS_REQUIRED;
    assert_int_equal(client_check_mariadb("x", &c, &e), -1);
}

static void masked(void **state)
{
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    c.database = NULL;
    expect_file(&c, MYSQL, true,
                "[client]\nuser=\"app\"\n# "
                "password=********\nhost=\"db.example.com\"\nport=3307\nprotocol=TCP\nssl-mode=DISABLED\n");
    expect_file(&c, PLAIN, true,
                "[client]\nuser=app\n# "
                "password=********\nhost=db.example.com\nport=3307\nprotocol=TCP\n" MARIADB_GROUP("0", "0"));
    c.password = NULL;
    expect_file(
        &c, MYSQL, true,
        "[client]\nuser=\"app\"\nhost=\"db.example.com\"\nport=3307\nprotocol=TCP\nssl-mode=DISABLED\n");
}

/* These options are written only if they differ from the default. */
static void cleartext_and_key(void **state)
{
    AUTO_BUF(text, 4096);
    struct err e = ERR_INIT;
    struct connection c = over_tcp(NULL);

    (void)state;
    c.cleartext = c.server_public_key = true;
    assert_int_equal(client_params_file(&c, FLAVOUR_MYSQL, false, &text, &e), 0);
    assert_non_null(strstr(buf_str(&text), "\nget-server-public-key=1\n"));
    assert_non_null(strstr(buf_str(&text), "\n[mysqldump]\nenable-cleartext-plugin=1\n"));
    assert_null(strstr(buf_str(&text), "[mysqlbinlog]"));
    buf_clear(&text);
    assert_int_equal(client_params_file(&c, FLAVOUR_MARIADB, false, &text, &e), 0);
    assert_null(strstr(buf_str(&text), "cleartext"));
}

static struct secret *repeat(size_t n)
{
    AUTO_FREE(char *, text);

    text = mem_alloc(n, 1);
    memset(text, 'x', n);
    return secret_from(text, n);
}

/* MariaDB's option reader corrupts long lines, so broker's limit is 4,000 bytes. */
static void long_passwords(void **state)
{
    AUTO_SECRET(just);
    AUTO_SECRET(over);
    AUTO_BUF(text, 131072);
    struct err e = ERR_INIT;

    (void)state;
    just = repeat(3988);
    over = repeat(3989);
    struct connection c = over_tcp(just);
    assert_int_equal(client_params_file(&c, FLAVOUR_MARIADB, false, &text, &e), 0);
    assert_int_equal(client_params_plain(&c, false, &text, &e), 0);
    c.password = over;
    assert_int_equal(client_params_file(&c, FLAVOUR_MYSQL, false, &text, &e), 0);
#define TOO_LONG(format)                                                                                     \
    "format " format " cannot carry password: MariaDB's clients change one of over 4000 bytes\n"             \
    "broker connect or exec, or --format env"
    expect_file(&c, MARIADB, false, TOO_LONG("mycnf"));
    expect_file(&c, PLAIN, false, TOO_LONG("mycnf-plain"));
}

/* A file that is too long is refused, not truncated. */
static void too_long(void **state)
{
    static char huge[60001];
    struct connection c = over_tcp(NULL);
    AUTO_SECRET(text);
    struct err e = ERR_INIT;
    bool by_env;

    (void)state;
    memset(huge, 'x', sizeof huge - 1);
    c.tls_ciphers = huge;
    c.tls = TLS_PREFERRED;
    for (enum kind kind = MYSQL; kind <= PLAIN; kind++)
        expect_file(&c, kind, false, "the client's options are over 60000 bytes long\n");
    assert_int_equal(client_plain_file(&c, &text, &by_env, &e), -1);
    assert_null(text);
    assert_string_equal(e.msg, "the client's options are over 60000 bytes long");
    assert_int_equal(client_option_file(&c, FLAVOUR_MYSQL, &text, &by_env, &e), -1);
    assert_null(text);
}

/* PyMySQL removes quotes but keeps the escapes inside them, so only the plain file refuses a value that needs
 * both. */
static void quotes(void **state)
{
    struct connection c = over_tcp(NULL);

    (void)state;
    c.database = NULL;
    c.user = "\"a";
    expect_file(&c, PLAIN, false,
                "format mycnf-plain cannot carry user: it needs quotes and contains one\n"
                "--format mycnf, or another: broker help formats");
    c.user = "a\"b";
    expect_file(
        &c, PLAIN, false,
        "[client]\nuser=a\"b\nhost=db.example.com\nport=3307\nprotocol=TCP\n" MARIADB_GROUP("0", "0"));
    c.user = "a b ";
    expect_file(
        &c, PLAIN, false,
        "[client]\nuser=\"a b \"\nhost=db.example.com\nport=3307\nprotocol=TCP\n" MARIADB_GROUP("0", "0"));
    c.user = "\"a";
    expect_file(
        &c, MYSQL, false,
        "[client]\nuser=\"\\\"a\"\nhost=\"db.example.com\"\nport=3307\nprotocol=TCP\nssl-mode=DISABLED\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),         cmocka_unit_test(names_that_mariadb_does_not_verify),
        cmocka_unit_test(masked),         cmocka_unit_test(cleartext_and_key),
        cmocka_unit_test(long_passwords), cmocka_unit_test(too_long),
        cmocka_unit_test(quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
