/* SPDX-License-Identifier: MIT */
/*
 * The text of option files, for both client families: each TLS level, options that are written only if they
 * are set, escapes, and lines that are too long for MariaDB's option reader. tests/cli checks that real
 * clients read the files this way.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/text.h>
#include <output/client.h>

#define BIG 131072

static const char *const includes[] = {"/etc/my.cnf", "/home/a b/.my.cnf", NULL};

/* The file, with `MYSQL_PWD` in front if the password is passed in that variable; or the error. */
static void file_text(const struct connection *c, enum flavour f, struct buf *out)
{
    AUTO_SECRET(text);
    bool by_env = false;
    struct err e = ERR_INIT;

    if (client_option_file(c, f, &text, &by_env, &e) < 0) {
        buf_printf(out, "%d: %s\n", (int)e.code, e.msg);
        return;
    }
    buf_puts(out, by_env ? "MYSQL_PWD\n" : "");
    buf_add(out, secret_bytes(text), secret_len(text));
}

static void expect_file(const struct connection *c, enum flavour f, const char *text)
{
    AUTO_BUF(got, BIG);

    file_text(c, f, &got);
    assert_string_equal(buf_str(&got), text);
}

static struct connection over_tcp(const struct secret *password)
{
    return (struct connection){
        .user = "app",
        .password = password,
        .host = "db.example.com",
        .port = 3307,
        .tls_version = "TLSv1.2,TLSv1.3",
        .connect_timeout = 10,
    };
}

#define HEAD "[client]\nuser=\"app\"\npassword=\"s3cret\"\n"
#define TCP "host=\"db.example.com\"\nport=3307\nprotocol=TCP\n"
#define VERSIONS "tls-version=\"TLSv1.2,TLSv1.3\"\n"
#define SHELL "[mysql]\nconnect-timeout=10\nlocal-infile=0\n"
#define CERT "ssl-cert=\"/c.pem\"\nssl-key=\"/k.pem\"\nssl-cipher=\"A:B\"\n"
#define CA "ssl-ca=\"/ca.pem\"\nssl-capath=/dev/null\n"
#define CLEARTEXT(n)                                                                                         \
    "[mysql]\nenable-cleartext-plugin=" n "\n[mysqldump]\nenable-cleartext-plugin=" n                        \
    "\n[mysqladmin]\nenable-cleartext-plugin=" n "\n[mysqlimport]\nenable-cleartext-plugin=" n               \
    "\n[mysqlcheck]\nenable-cleartext-plugin=" n "\n[mysqlshow]\nenable-cleartext-plugin=" n                 \
    "\n[mysqlslap]\nenable-cleartext-plugin=" n "\n"
#define NO_PLUGINS "get-server-public-key=0\n" CLEARTEXT("0")
#define UNVERIFIED "disable-ssl-verify-server-cert\n"

/* A client certificate is written at all levels that may use TLS, CA certificates only at those that verify.
 * MariaDB's options for the level come last: from 11.4 on any other TLS option undoes an earlier skip-ssl. */
static const struct level {
    enum tls_level level;
    const char *mysql, *mariadb;
} levels[] = {
    {TLS_DISABLED, HEAD TCP VERSIONS "ssl-mode=DISABLED\n" NO_PLUGINS SHELL,
     HEAD TCP VERSIONS "skip-ssl\n" UNVERIFIED SHELL},
    {TLS_PREFERRED, HEAD TCP VERSIONS CERT "ssl-mode=PREFERRED\n" NO_PLUGINS SHELL,
     HEAD TCP VERSIONS CERT "ssl=1\n" UNVERIFIED SHELL},
    {TLS_REQUIRED, HEAD TCP VERSIONS CERT "ssl-mode=REQUIRED\n" NO_PLUGINS SHELL, NULL},
    {TLS_VERIFY_CA, HEAD TCP VERSIONS CERT "ssl-mode=VERIFY_CA\n" CA NO_PLUGINS SHELL, NULL},
    {TLS_VERIFY_IDENTITY, HEAD TCP VERSIONS CERT "ssl-mode=VERIFY_IDENTITY\n" CA NO_PLUGINS SHELL,
     HEAD TCP VERSIONS CERT "ssl=1\nssl-verify-server-cert\n" CA SHELL},
};

static void tls_levels(void **state)
{
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("s3cret", 6);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        struct connection c = over_tcp(password);
        c.tls = levels[i].level;
        c.tls_ca = "/ca.pem";
        c.tls_cert = "/c.pem";
        c.tls_key = "/k.pem";
        c.tls_ciphers = "A:B";
        expect_file(&c, FLAVOUR_MYSQL, levels[i].mysql);
        if (levels[i].mariadb)
            expect_file(&c, FLAVOUR_MARIADB, levels[i].mariadb);
    }
}

/* At levels for which MariaDB's clients have no option, the plan lets the keeper handle TLS. If it did not,
 * the client would verify: a level is never written as a weaker one. */
static void mariadb_never_weaker(void **state)
{
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("s3cret", 6);
    for (enum tls_level level = TLS_REQUIRED; level <= TLS_VERIFY_IDENTITY; level++) {
        AUTO_BUF(text, BIG);
        struct connection c = over_tcp(password);
        c.tls = level;
        file_text(&c, FLAVOUR_MARIADB, &text);
        assert_non_null(strstr(buf_str(&text), "ssl=1\nssl-verify-server-cert\n"));
        assert_null(strstr(buf_str(&text), "disable-ssl-verify"));
    }
}

/* The options that are written only if they are set, in their groups. */
static void all_options(void **state)
{
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    c.tls = TLS_REQUIRED;
    c.database = "my \"shop\"";
    c.cleartext = c.server_public_key = c.compress = c.local_infile = c.fixed = true;
    c.time_zone = "o'clock\\";
    c.connect_timeout = 3;
    c.includes = includes;
#define INCLUDES "!include /etc/my.cnf\n!include /home/a b/.my.cnf\n"
#define SHELL_FULL(compress)                                                                                 \
    "[mysql]\ndatabase=\"my \\\"shop\\\"\"\ninit-command=\"SET time_zone = 'o\\\\'clock\\\\\\\\'\"\n"        \
    "connect-timeout=3\nlocal-infile=1\n" compress "\nskip-reconnect\n"
    expect_file(&c, FLAVOUR_MYSQL,
                INCLUDES HEAD TCP VERSIONS "ssl-mode=REQUIRED\n"
                                           "get-server-public-key=1\n" CLEARTEXT("1")
                                               SHELL_FULL("compression-algorithms=zlib"));
    c.tls = TLS_PREFERRED;
    c.plugin_dir = "/run/p";
    expect_file(&c, FLAVOUR_MARIADB,
                INCLUDES HEAD TCP VERSIONS "ssl=1\n" UNVERIFIED
                                           "plugin-dir=\"/run/p\"\n" SHELL_FULL("compress"));
}

/* Host and protocol are written too, so that a host or port in an included file cannot make the client use
 * TCP. */
static void over_a_socket(void **state)
{
    struct connection c = {
        .user = "app", .socket = "/run/my sql.sock", .tls = TLS_PREFERRED, .connect_timeout = 10};
    AUTO_SECRET(empty);

    (void)state;
    empty = secret_new(0);
    c.password = empty;
#define SOCKET "host=\"localhost\"\nsocket=\"/run/my sql.sock\"\nprotocol=SOCKET\n"
    expect_file(&c, FLAVOUR_MARIADB,
                "[client]\nuser=\"app\"\npassword=\"\"\n" SOCKET
                "ssl=1\ndisable-ssl-verify-server-cert\n" SHELL);
    expect_file(&c, FLAVOUR_MYSQL,
                "[client]\nuser=\"app\"\npassword=\"\"\n" SOCKET "ssl-mode=PREFERRED\n" NO_PLUGINS SHELL);
}

/* auth = client: user and password come from the included files. */
static void no_user_no_password(void **state)
{
    struct connection c = over_tcp(NULL);

    (void)state;
    c.user = NULL;
    c.includes = includes + 1;
    expect_file(&c, FLAVOUR_MARIADB,
                "!include /home/a b/.my.cnf\n[client]\n" TCP VERSIONS "skip-ssl\n" UNVERIFIED SHELL);
}

static const struct escape {
    const char *password, *line;
} escapes[] = {
    {"", "password=\"\""},
    {"plain", "password=\"plain\""},
    {" both ends ", "password=\" both ends \""},
    {"a#b;c", "password=\"a#b;c\""},
    {"it's", "password=\"it's\""},
    {"say \"hi\"", "password=\"say \\\"hi\\\"\""},
    {"back\\slash\\", "password=\"back\\\\slash\\\\\""},
    {"\n\r\t\b", "password=\"\\n\\r\\t\\b\""},
    {"\\n", "password=\"\\\\n\""},
    {"\x01\x1f\x7f\x80\xff", "password=\"\x01\x1f\x7f\x80\xff\""},
    {"!include /x", "password=\"!include /x\""},
    {"x\n[mysql]\ninit-command=drop", "password=\"x\\n[mysql]\\ninit-command=drop\""},
};

static void escaped_passwords(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        for (enum flavour f = FLAVOUR_MYSQL; f <= FLAVOUR_MARIADB; f++) {
            AUTO_SECRET(password);
            AUTO_BUF(text, BIG);
            AUTO_FREE(char *, line);
            password = secret_from(escapes[i].password, strlen(escapes[i].password));
            struct connection c = over_tcp(password);
            file_text(&c, f, &text);
            line = mem_printf("\n%s\n", escapes[i].line);
            if (!strstr(buf_str(&text), line))
                fail_msg("no %s in %s", escapes[i].line, buf_str(&text));
        }
    }
}

/* Every text of a profile is escaped in the same way: no value can start a new line. */
static void escaped_values(void **state)
{
    AUTO_SECRET(password);
    AUTO_BUF(text, BIG);

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    c.user = c.host = c.database = c.tls_cert = c.tls_ciphers = c.plugin_dir = c.time_zone =
        "x\nskip-ssl\"\\";
    c.tls = TLS_PREFERRED;
    for (enum flavour f = FLAVOUR_MYSQL; f <= FLAVOUR_MARIADB; f++) {
        buf_clear(&text);
        file_text(&c, f, &text);
        assert_null(strstr(buf_str(&text), "\nskip-ssl"));
        assert_non_null(strstr(buf_str(&text), "\nuser=\"x\\nskip-ssl\\\"\\\\\"\n"));
        assert_non_null(strstr(buf_str(&text), "\nhost=\"x\\nskip-ssl\\\"\\\\\"\n"));
    }
}

/* `n` bytes of `c`. */
static struct secret *repeat(char c, size_t n)
{
    struct secret *s = secret_new(n);

    for (size_t i = 0; i < n; i++)
        assert_int_equal(secret_add(s, &c, 1), 0);
    return s;
}

/* The line has 12 bytes besides the password, including its LF. The limit for MariaDB is 4,000 bytes. */
static const struct length {
    char byte;
    size_t n;
    bool mysql, mariadb; /* whether the password is in the file */
} lengths[] = {
    {'x', 3988, true, true},  {'x', 3989, true, false},  {'x', 6000, true, false},  {'"', 1994, true, true},
    {'"', 1995, true, false}, {'\\', 1995, true, false}, {'x', 59000, true, false},
};

static void long_passwords(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        const struct length *l = &lengths[i];
        for (enum flavour f = FLAVOUR_MYSQL; f <= FLAVOUR_MARIADB; f++) {
            AUTO_SECRET(password);
            AUTO_BUF(text, BIG);
            password = repeat(l->byte, l->n);
            struct connection c = over_tcp(password);
            c.includes = includes;
            file_text(&c, f, &text);
            bool carried = strstr(buf_str(&text), "\npassword=\""),
                 by_env = text_starts(buf_str(&text), "MYSQL_PWD\n");
            assert_int_equal(carried, f == FLAVOUR_MYSQL ? l->mysql : l->mariadb);
            assert_int_equal(by_env, !carried);
            /* A password in an included file would take precedence over MYSQL_PWD. */
            assert_int_equal(strstr(buf_str(&text), "!include") != NULL, carried);
        }
    }
}

/* With only MYSQL_PWD, MariaDB's clients turn verification off, unless the file turns it on. */
static void long_and_verified(void **state)
{
    AUTO_SECRET(password);

    (void)state;
    password = repeat('x', 5000);
    struct connection c = over_tcp(password);
    c.tls = TLS_VERIFY_IDENTITY;
    c.tls_ca = "/ca.pem";
    expect_file(&c, FLAVOUR_MARIADB,
                "MYSQL_PWD\n[client]\nuser=\"app\"\n" TCP VERSIONS
                "ssl=1\nssl-verify-server-cert\n" CA SHELL);
}

static void refused_values(void **state)
{
    AUTO_SECRET(nul);
    AUTO_SECRET(vast);

    (void)state;
    nul = secret_from("a\0b", 3);
    vast = repeat('x', 60000);
    struct connection c = over_tcp(nul);
    for (enum flavour f = FLAVOUR_MYSQL; f <= FLAVOUR_MARIADB; f++)
        expect_file(&c, f, "65: the password contains a NUL byte, which clients do not support\n");
    c.password = vast;
    expect_file(&c, FLAVOUR_MYSQL, "65: the client's options are over 60000 bytes long\n");
}

/* --- the plain file ------------------------------------------------------------------------------------- */

static void plain_text(const struct connection *c, struct buf *out)
{
    AUTO_SECRET(text);
    bool by_env = false;
    struct err e = ERR_INIT;

    if (client_plain_file(c, &text, &by_env, &e) < 0) {
        buf_printf(out, "%d: %s\n", (int)e.code, e.msg);
        return;
    }
    buf_puts(out, by_env ? "MYSQL_PWD\n" : "");
    buf_add(out, secret_bytes(text), secret_len(text));
}

#define PLAIN_HEAD "[client]\nuser=app\npassword=s3cret\nhost=db.example.com\nport=3307\nprotocol=TCP\n"

/* Only what all readers understand: no include, no quotes, no TLS level, no key without a value. Options for
 * single clients are in groups of their own. */
static void plain_file(void **state)
{
    AUTO_SECRET(password);
    AUTO_BUF(text, BIG);

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    c.includes = includes;
    c.database = "shop";
    c.tls = TLS_PREFERRED;
    c.tls_cert = "/c.pem";
    c.tls_key = "/k.pem";
    c.plugin_dir = "/run/p";
    plain_text(&c, &text);
    assert_string_equal(buf_str(&text),
                        PLAIN_HEAD "ssl-cert=/c.pem\nssl-key=/k.pem\n"
                                   "[client-mariadb]\nssl-verify-server-cert=0\nssl=1\nplugin-dir=/run/p\n"
                                   "[mysql]\ndatabase=shop\n");
}

/* Drivers use the port. MySQL clients use the socket, which is in their own groups. */
static void plain_file_with_a_socket(void **state)
{
    AUTO_SECRET(password);
    AUTO_BUF(text, BIG);

    (void)state;
    password = secret_from("s3cret", 6);
    struct connection c = over_tcp(password);
    c.socket = "/run/my sql.sock";
    plain_text(&c, &text);
#define STOCK(name) "[" name "]\nhost=localhost\nsocket=/run/my sql.sock\nprotocol=SOCKET\n"
    assert_string_equal(buf_str(&text),
                        PLAIN_HEAD "[client-mariadb]\nssl-verify-server-cert=0\nssl=0\n" STOCK("mysql")
                            STOCK("mysqldump") STOCK("mysqladmin") STOCK("mysqlimport") STOCK("mysqlcheck")
                                STOCK("mysqlshow") STOCK("mysqlslap") STOCK("mysqlbinlog"));
}

/* Values that the clients' own reader or Go's gcfg would misread are quoted. No value can start a new line.
 */
static const struct escape plain_passwords[] = {
    {"", "password="},
    {"it's %=: \xff", "password=it's %=: \xff"},
    {"say \"hi", "password=say \"hi"},
    {"\"hi", "password=\"\\\"hi\""},
    {"'hi'", "password=\"'hi'\""},
    {" x", "password=\" x\""},
    {"x ", "password=\"x \""},
    {"a#b", "password=\"a#b\""},
    {"a;b", "password=\"a;b\""},
    {"a\\b", "password=\"a\\\\b\""},
    {"x\n[mysql]\ninit-command=drop", "password=\"x\\n[mysql]\\ninit-command=drop\""},
    {"\t", "password=\"\\t\""},
};

static void plain_escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain_passwords); i++) {
        AUTO_SECRET(password);
        AUTO_BUF(text, BIG);
        AUTO_FREE(char *, line);
        password = secret_from(plain_passwords[i].password, strlen(plain_passwords[i].password));
        struct connection c = over_tcp(password);
        plain_text(&c, &text);
        line = mem_printf("\n%s\n", plain_passwords[i].line);
        if (!strstr(buf_str(&text), line))
            fail_msg("no %s in %s", plain_passwords[i].line, buf_str(&text));
    }
}

static void plain_limits(void **state)
{
    AUTO_SECRET(nul);
    AUTO_SECRET(just);
    AUTO_SECRET(over);

    (void)state;
    nul = secret_from("a\0b", 3);
    just = repeat('x', 3988);
    over = repeat('x', 3989);
    const struct secret *const passwords[] = {nul, just, over};
    static const char *const starts[] = {"65: the password contains a NUL byte",
                                         "[client]\nuser=app\npassword=xxx",
                                         "MYSQL_PWD\n[client]\nuser=app\nhost="};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        AUTO_BUF(text, BIG);
        struct connection c = over_tcp(passwords[i]);
        plain_text(&c, &text);
        assert_true(text_starts(buf_str(&text), starts[i]));
    }
}

/* --- the client's environment --------------------------------------------------------------------------- */

static const char *changed_to(const struct env_changes *env, const char *name)
{
    for (size_t i = 0; i < env->count; i++) {
        if (text_equal(env->item[i].name, name))
            return env->item[i].value ? env->item[i].value : "(unset)";
    }
    return NULL;
}

static void environment(void **state)
{
    static const char *const scrubbed[] = {
        "MYSQL_PWD",
        "MYSQL_HOST",
        "MYSQL_TCP_PORT",
        "MYSQL_UNIX_PORT",
        "MYSQL_GROUP_SUFFIX",
        "MARIADB_HOME",
        "MARIADB_HOST",
        "MARIADB_GROUP_SUFFIX",
        "LIBMYSQL_PLUGINS",
        "LIBMYSQL_PLUGIN_DIR",
        "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN",
        "MARIADB_PLUGIN_DIR",
        "MARIADB_UNIX_PORT",
        "MARIADB_TLS_DISABLE_PEER_VERIFICATION",
    };
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("s3cret", 6);
    for (enum flavour f = FLAVOUR_UNKNOWN; f <= FLAVOUR_MARIADB; f++) {
        struct connection ours = over_tcp(password), theirs = over_tcp(NULL);
        struct env_changes env = {0}, none = {0}, long_one = {0};
        client_environment(&ours, f, false, &env);
        for (size_t i = 0; i < ARRAY_LEN(scrubbed); i++)
            assert_true(text_equal(changed_to(&env, scrubbed[i]), "(unset)"));
        const char *login_file = changed_to(&env, "MYSQL_TEST_LOGIN_FILE");
        assert_true(text_equal(login_file, f == FLAVOUR_MARIADB ? NULL : "/dev/null"));
        client_environment(&theirs, f, false, &none); /* auth = client */
        assert_int_equal(none.count, 0);
        client_environment(&ours, f, true, &long_one);
        assert_string_equal(changed_to(&long_one, "MYSQL_PWD"), "s3cret");
        /* In an unknown program, cleartext is enabled for Oracle's client library only by this variable. */
        struct env_changes clear = {0};
        ours.cleartext = true;
        client_environment(&ours, f, false, &clear);
        assert_true(text_equal(changed_to(&clear, "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN"),
                               f == FLAVOUR_UNKNOWN ? "1" : "(unset)"));
        env_release(&clear);
        env_release(&env);
        env_release(&long_one);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_levels),
        cmocka_unit_test(mariadb_never_weaker),
        cmocka_unit_test(all_options),
        cmocka_unit_test(over_a_socket),
        cmocka_unit_test(no_user_no_password),
        cmocka_unit_test(escaped_passwords),
        cmocka_unit_test(escaped_values),
        cmocka_unit_test(long_passwords),
        cmocka_unit_test(long_and_verified),
        cmocka_unit_test(refused_values),
        cmocka_unit_test(environment),
        cmocka_unit_test(plain_file),
        cmocka_unit_test(plain_file_with_a_socket),
        cmocka_unit_test(plain_escapes),
        cmocka_unit_test(plain_limits),
    };

    return cmocka_run_group_tests_name("option file", tests, NULL, NULL);
}
