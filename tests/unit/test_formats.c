/* SPDX-License-Identifier: MIT */
/*
 * Formats that set environment variables: `env`, and `url` with DATABASE_URL, whose password is decoded again
 * by our own strict decoder. tests/cli tests other readers of that URL.
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
#include <output/format.h>

/* Renders the changes in their order as lines NAME=value, or -NAME for a variable that is unset. */
static void changes_text(const char *format, const struct connection *c, struct buf *out)
{
    struct env_changes env = {0};
    struct err e = ERR_INIT;

    struct format_how how = {.endpoint = c};
    if (format_environment(format_find(format), c, &how, &env, &e) < 0)
        buf_printf(out, "%d: %s\n", (int)e.code, e.msg);
    for (size_t i = 0; i < env.count; i++) {
        if (env.item[i].value)
            buf_printf(out, "%s=%s\n", env.item[i].name, env.item[i].value);
        else
            buf_printf(out, "-%s\n", env.item[i].name);
    }
    env_release(&env);
}

static void expect(const char *format, const struct connection *c, const char *text)
{
    AUTO_BUF(got, 262144);

    changes_text(format, c, &got);
    assert_string_equal(buf_str(&got), text);
}

static void environment(void **state)
{
    AUTO_SECRET(password);
    AUTO_SECRET(empty);

    (void)state;
    password = secret_from("a 'b'\n", 6);
    empty = secret_new(0);
    struct connection tcp = {
        .user = "app", .password = password, .host = "db", .port = 3307, .database = "shop"};
    expect("env", &tcp,
           "MYSQL_HOST=db\nMYSQL_TCP_PORT=3307\n-MYSQL_UNIX_PORT\nMYSQL_USER=app\nMYSQL_PWD=a 'b'\n\n"
           "MYSQL_DATABASE=shop\n");
    /* Variables without a value are unset, so that the caller's own do not send the program elsewhere. */
    struct connection local = {.socket = "/run/s", .port = 3306, .password = empty};
    expect("env", &local,
           "MYSQL_HOST=localhost\n-MYSQL_TCP_PORT\nMYSQL_UNIX_PORT=/run/"
           "s\n-MYSQL_USER\nMYSQL_PWD=\n-MYSQL_DATABASE\n");
    /* MySQL's clients would take the name for a unix socket. */
    struct connection name = {
        .host = "Localhost", .port = 3307, .tls = TLS_VERIFY_IDENTITY, .password = empty};
    expect("env", &name,
           "MYSQL_HOST=127.0.0.1\nMYSQL_TCP_PORT=3307\n-MYSQL_UNIX_PORT\n-MYSQL_USER\nMYSQL_PWD=\n-MYSQL_"
           "DATABASE\n");
    expect("laravel", &name,
           "65: format laravel cannot carry localhost: its readers take it for a unix socket\n");
    expect("django", &name,
           "65: format django cannot carry localhost: its readers take it for a unix socket\n");
    connection_by_tcp(&name); /* the name is needed for the certificate */
    assert_string_equal(name.host, "Localhost");
    name.tls = TLS_VERIFY_CA;
    connection_by_tcp(&name);
    assert_string_equal(name.host, "127.0.0.1");
    /* auth = client: the caller's own user and password stay. */
    struct connection theirs = {.host = "db", .port = 3306};
    expect("env", &theirs, "MYSQL_HOST=db\nMYSQL_TCP_PORT=3306\n-MYSQL_UNIX_PORT\n-MYSQL_DATABASE\n");
}

static void urls(void **state)
{
    AUTO_SECRET(password);

    (void)state;
    password = secret_from("p@:/?#&=% \"'", 12);
    struct connection c = {
        .user = "a:b@c", .password = password, .host = "db", .port = 3307, .tls = TLS_REQUIRED};
    expect("url", &c,
           "DATABASE_URL=mysql://a%3Ab%40c:p%40%3A%2F%3F%23%26%3D%25%20%22%27@db:3307/?ssl-mode=REQUIRED\n");
    c.password = NULL;
    c.database = "my shop/\xc3\xa9";
    c.tls = TLS_VERIFY_IDENTITY;
    c.tls_ca = "/etc/ca dir/ca.pem";
    c.host = "2001:db8::1";
    expect("url", &c,
           "DATABASE_URL=mysql://a%3Ab%40c@[2001:db8::1]:3307/my%20shop%2F%C3%A9?ssl-mode=VERIFY_IDENTITY"
           "&ssl-ca=%2Fetc%2Fca%20dir%2Fca.pem\n");
    c.tls = TLS_REQUIRED; /* it uses no CA certificates, so ssl-ca is left out */
    c.host = "db";
    c.user = c.database = NULL;
    expect("url", &c, "DATABASE_URL=mysql://db:3307/?ssl-mode=REQUIRED\n");
    struct connection local = {.user = "app", .socket = "/run/my.sock", .tls = TLS_PREFERRED};
    expect("url", &local, "DATABASE_URL=mysql://app@localhost/?socket=%2Frun%2Fmy.sock\n");
    /* Many drivers refuse a parameter that they do not know, so `socket` is left out if there is a host. */
    local.host = "127.0.0.1";
    local.port = 41207;
    expect("url", &local, "DATABASE_URL=mysql://app@127.0.0.1:41207/\n");
}

/* Every byte that a password can have is decoded unchanged; reserved bytes are percent-encoded. */
static void every_byte(void **state)
{
    AUTO_SECRET(password);
    AUTO_BUF(text, 8192);
    AUTO_BUF(back, 8192);

    (void)state;
    password = secret_new(255);
    for (int i = 1; i < 256; i++)
        assert_int_equal(secret_add(password, &(char){(char)i}, 1), 0);
    struct connection c = {.user = "u", .password = password, .host = "h", .port = 1, .tls = TLS_PREFERRED};
    changes_text("url", &c, &text);
    const char *start = strstr(buf_str(&text), "u:") + 2, *end = strstr(start, "@h:1/");
    assert_non_null(end);
    assert_true(text_percent_decode(&back, start, (size_t)(end - start)));
    assert_int_equal(back.len, 255);
    assert_memory_equal(buf_str(&back), secret_bytes(password), 255);
    for (const char *s = start; s < end; s++)
        assert_non_null(strchr("%-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *s));
}

/* A value that a variable cannot hold is refused, not truncated. */
static void refuses_nul(void **state)
{
    AUTO_SECRET(nul);

    (void)state;
    nul = secret_from("a\0b", 3);
    struct connection c = {.user = "u", .password = nul, .host = "h", .port = 1};
    AUTO_BUF(text, 8192);
    changes_text("env", &c, &text);
    assert_true(text_starts(buf_str(&text), "65: "));
    assert_null(strstr(buf_str(&text), "MYSQL_PWD="));
    expect("url", &c, "65: format url cannot carry password: it contains a NUL byte\n");
}

static void finds_formats_by_name(void **state)
{
    (void)state;
    assert_null(format_find("nosuch"));
    assert_null(format_find(""));
    for (size_t i = 0; format_table[i]; i++) {
        assert_ptr_equal(format_find(format_table[i]->name), format_table[i]);
        assert_true(format_table[i]->line || format_table[i]->write);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment),
        cmocka_unit_test(urls),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(refuses_nul),
        cmocka_unit_test(finds_formats_by_name),
    };

    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
