/* SPDX-License-Identifier: MIT */
/* The INI lexer with our own policy: each rule of include/model/ini.h, with the complete error. AWS's policy
 * is tested in test_ini_aws.c. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/buf.h>
#include <base/mem.h>
#include <model/ini.h>

static int write_event(void *context, const struct ini_event *event, struct err *e)
{
    struct buf *out = context;

    (void)e;
    if (event->key)
        buf_printf(out, "%u %s|%s|%s\n", event->line, event->section, event->key, event->value);
    else
        buf_printf(out, "%u [%s]\n", event->line, event->section);
    return 0;
}

/* Lexes a copy of the n bytes and a NUL, so that a sanitizer reports any access past the end. */
static int lex(const char *text, size_t n, enum ini_policy policy, struct buf *out, struct err *e)
{
    AUTO_FREE(char *, copy);

    copy = mem_alloc(n + 1, 1);
    memcpy(copy, text, n);
    return ini_parse("config", copy, n, policy, write_event, out, e);
}

static void expect_events(const char *text, const char *events)
{
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    if (lex(text, strlen(text), INI_BROKER, &out, &e) < 0)
        fail_msg("%s: %s", e.what, e.msg);
    assert_string_equal(buf_str(&out), events);
}

static void expect_refusal_n(const char *text, size_t n, const char *what, const char *msg)
{
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    assert_int_equal(lex(text, n, INI_BROKER, &out, &e), -1);
    assert_string_equal(e.msg, msg);
    assert_string_equal(e.what, what);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_true(e.hint[0] != '\0');
}

static void expect_refusal(const char *text, const char *what, const char *msg)
{
    expect_refusal_n(text, strlen(text), what, msg);
}

static void strict_accepts(void **state)
{
    (void)state;
    expect_events("", "");
    expect_events("\n\n# only\n; comments\n  # indented\n\t\n", "");
    expect_events("[a]\nk=v\n", "1 [a]\n2 a|k|v\n");
    expect_events("[a]\nk=v", "1 [a]\n2 a|k|v\n");
    expect_events("[a]", "1 [a]\n");
    expect_events("[ profile  b ] \nlong key =\t v w \t\n", "1 [profile  b]\n2 profile  b|long key|v w\n");
    expect_events("[a]\r\nk = v\r\n\r\nl =\r\n", "1 [a]\n2 a|k|v\n4 a|l|\n");
    expect_events("\xef\xbb\xbf[a]\nk = \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x82\n",
                  "1 [a]\n2 a|k|\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x82\n");
    expect_events("[a]\nk==v=\n", "1 [a]\n2 a|k|=v=\n");
    expect_events("[a]\nk = a#b;c\nl =#d\nm = a\\b'c\"d\n",
                  "1 [a]\n2 a|k|a#b;c\n3 a|l|#d\n4 a|m|a\\b'c\"d\n");
    expect_events("[a]\nk = v\n[b]\n[a]\nk = v\n", "1 [a]\n2 a|k|v\n3 [b]\n4 [a]\n5 a|k|v\n");
}

/* Lines may be indented, as in ~/.gitconfig; there are no continuation lines. */
static void strict_indented(void **state)
{
    (void)state;
    expect_events("[a]\n\tk = v\n  l = w\n", "1 [a]\n2 a|k|v\n3 a|l|w\n");
    expect_events("  [a]\n  k = v\n \t [b]  \r\n\tk = \" v \"\r\n", "1 [a]\n2 a|k|v\n3 [b]\n4 b|k| v \n");
    expect_events("[a]\nk = [b]\n  l =\n  # [c]\n", "1 [a]\n2 a|k|[b]\n3 a|l|\n");
}

static void strict_quotes(void **state)
{
    (void)state;
    expect_events("[a]\nk = \"v\"\n", "1 [a]\n2 a|k|v\n");
    expect_events("[a]\nk = \"\"\nl = \" a #b ;c \" \n", "1 [a]\n2 a|k|\n3 a|l| a #b ;c \n");
    expect_events("[a]\nk = \"\\\"x\\\\\"", "1 [a]\n2 a|k|\"x\\\n");
    expect_refusal("[a]\nk = \"v", "config:2", "no closing quote");
    expect_refusal("[a]\nk = \"", "config:2", "no closing quote");
    expect_refusal("[a]\nk = \"v\\\"", "config:2", "no closing quote");
    expect_refusal("[a]\nk = \"v\\", "config:2", "no closing quote");
    expect_refusal("[a]\nk = \"v\" w\n", "config:2", "text after the closing quote");
    expect_refusal("[a]\nk = \"v\" # c\n", "config:2", "text after the closing quote");
    expect_refusal("[a]\nk = \"\\n\"\n", "config:2", "unknown escape in a quoted value");
}

static void strict_refuses(void **state)
{
    (void)state;
    expect_refusal("k = v\n", "config:1", "a key before the first section");
    expect_refusal("[a]\n\nword\n", "config:3", "no '=' in this line");
    expect_refusal("[a]\n= v\n", "config:2", "no key before '='");
    expect_refusal("[a]\nk = v\n  continued\n", "config:3", "no '=' in this line");
    expect_refusal(" k = v\n", "config:1", "a key before the first section");
    expect_refusal("[a]\n\t= v\n", "config:2", "no key before '='");
    expect_refusal(" [a\n", "config:1", "no ']' at the end of a section's name");
    expect_refusal("[a]\nk = v # c\n", "config:2", "unquoted ' #' in a value");
    expect_refusal("[a]\nk = v\t;c\n", "config:2", "unquoted ' ;' in a value");
    expect_refusal("[a]\nk = # c\n", "config:2", "unquoted ' #' in a value");
    expect_refusal("[a]\nk = a#b\nl = v\nm = a#b ;c\n", "config:4", "unquoted ' ;' in a value");
    expect_refusal("[a\nk = v\n", "config:1", "no ']' at the end of a section's name");
    expect_refusal("[a] # c\n", "config:1", "text after ']'");
    expect_refusal("[a]b]\n", "config:1", "text after ']'");
}

static void strict_bytes(void **state)
{
    char comment[400];
    (void)state;
    expect_refusal_n("[a]\nk = v\0w\n", 12, "config:2", "NUL byte");
    expect_refusal_n("\0", 1, "config:1", "NUL byte");
    expect_refusal("[a]\nk = \x1b[31m\n", "config:2", "control character 0x1b");
    expect_refusal("[a]\rk = v\n", "config:1", "control character 0x0d");
    expect_refusal("[a]\nk = v\r", "config:2", "control character 0x0d");
    expect_refusal("[a]\nk = \x7f\n", "config:2", "control character 0x7f");
    expect_refusal("[a]\n# \xff\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xc0\xaf\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xc1\xbf\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xc3(\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \x80\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xe0\x9f\xbf\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xf0\x8f\xbf\xbf\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xf5\x80\x80\x80\n", "config:2", "not UTF-8");
    expect_events("[a]\n# \xc2\x80 \xe0\xa0\x80 \xed\x9f\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\n", "1 [a]\n");
    expect_refusal("[a]\n# \xed\xa0\x80\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xf4\x90\x80\x80\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xe2\x82", "config:2", "not UTF-8");
    for (size_t at = 4; at < sizeof comment; at++) {
        memset(comment, '#', sizeof comment);
        memcpy(comment, "[a]\n", 4);
        comment[at] = '\1';
        expect_refusal_n(comment, sizeof comment, "config:2", "control character 0x01");
    }
}

static void strict_long_line(void **state)
{
    AUTO_BUF(text, 20000);
    AUTO_BUF(out, 20000);
    struct err e = ERR_INIT;

    (void)state;
    buf_puts(&text, "[a]\nk=");
    while (text.len < 4 + INI_LINE_MAX)
        buf_putc(&text, 'x');
    assert_int_equal(lex(buf_str(&text), text.len, INI_BROKER, &out, &e), 0);
    buf_putc(&text, 'x');
    expect_refusal(buf_str(&text), "config:2", "line over 8192 bytes");
}

/* The byte range of an event is that of its lines in the original text. */
static int check_range(void *context, const struct ini_event *event, struct err *e)
{
    const char *text = *(const char **)context;

    (void)e;
    if (event->key && strcmp(event->key, "k") == 0) {
        assert_int_equal(event->end - event->start, 6);
        assert_memory_equal(text + event->start, "k = v\n", 6);
    }
    if (event->key && strcmp(event->key, "m") == 0)
        assert_memory_equal(text + event->start, "m = \n  a = b\n", event->end - event->start);
    return 0;
}

static void ranges(void **state)
{
    const char *strict = "# c\n[a]\n\nk = v\nl = w\n", *aws = "[a]\nk = v\nm = \n  a = b\nn = o\n";
    char copy[64];
    struct err e = ERR_INIT;

    (void)state;
    (void)snprintf(copy, sizeof copy, "%s", strict);
    assert_int_equal(ini_parse("config", copy, strlen(strict), INI_BROKER, check_range, &strict, &e), 0);
    (void)snprintf(copy, sizeof copy, "%s", aws);
    assert_int_equal(ini_parse("config", copy, strlen(aws), INI_AWS, check_range, &aws, &e), 0);
}

static void line_numbers(void **state)
{
    char text[400];

    (void)state;
    for (size_t lf = 0; lf < 200; lf++) {
        memset(text, 'x', sizeof text);
        text[lf] = '\n';
        text[300] = '\n';
        for (size_t at = 0; at < 300; at += 7)
            assert_int_equal(ini_line(text, at), at > lf ? 2 : 1);
        assert_int_equal(ini_line(text, lf), 1);
        assert_int_equal(ini_line(text, lf + 1), 2);
        assert_int_equal(ini_line(text, sizeof text), 3);
    }
    memset(text, '\n', sizeof text);
    assert_int_equal(ini_line(text, sizeof text), sizeof text + 1);
}

/* A file is lexed in two steps: its headers, then the body of a section, with the file's line numbers. */
static void index_and_bodies(void **state)
{
    static const char text[] = "# c\n[a]\nk = v\n\n [b]\n[c]\r\nk = \"[d]\"\nl=[\n[e]";
    AUTO_FREE(char *, copy);
    AUTO_BUF(headers, 4096);
    AUTO_BUF(keys, 4096);
    struct err e = ERR_INIT;

    (void)state;
    copy = mem_strdup(text);
    assert_int_equal(ini_index("config", copy, strlen(text), write_event, &headers, &e), 0);
    assert_string_equal(buf_str(&headers), "0 [a]\n0 [b]\n0 [c]\n0 [e]\n");
    char body[] = "k = \"[d]\"\nl=[\n";
    assert_int_equal(ini_parse_body("config", "c", 7, body, strlen(body), write_event, &keys, &e), 0);
    assert_string_equal(buf_str(&keys), "7 c|k|[d]\n8 c|l|[\n");
    char bad[] = "\n\nword\n";
    assert_int_equal(ini_parse_body("config", "c", 7, bad, strlen(bad), write_event, &keys, &e), -1);
    assert_string_equal(e.what, "config:9");
    char bom[] = "\xef\xbb\xbfk = v\n";
    buf_clear(&keys);
    assert_int_equal(ini_parse_body("config", "c", 1, bom, strlen(bom), write_event, &keys, &e), 0);
    assert_string_equal(buf_str(&keys), "1 c|\xef\xbb\xbfk|v\n");
}

static void index_refuses(void **state)
{
    static const struct {
        const char *text, *what, *msg;
    } cases[] = {
        {"k = v\n[a]\n", "config:1", "a key before the first section"},
        {"\nword", "config:2", "a key before the first section"},
        {"[a]\n\n[b\n", "config:3", "no ']' at the end of a section's name"},
        {"[a]\n\n[b] # c\n", "config:3", "text after ']'"},
        {"[a]\nk = v\n\x01\n", "config:3", "control character 0x01"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE(char *, copy);
        AUTO_BUF(out, 4096);
        struct err e = ERR_INIT;
        copy = mem_strdup(cases[i].text);
        assert_int_equal(ini_index("config", copy, strlen(copy), write_event, &out, &e), -1);
        assert_string_equal(e.what, cases[i].what);
        assert_string_equal(e.msg, cases[i].msg);
        assert_true(e.hint[0] != '\0');
    }
}

static int stop_at_once(void *context, const struct ini_event *event, struct err *e)
{
    (void)event;
    *(int *)context += 1;
    return err_set(e, ERR_DATA, "enough");
}

static void handler_stops(void **state)
{
    char strict[] = "[a]\nk = v\n", aws[] = "[a]\nk = v\n";
    struct err e = ERR_INIT;
    int calls = 0;

    (void)state;
    assert_int_equal(ini_parse("config", strict, sizeof strict - 1, INI_BROKER, stop_at_once, &calls, &e),
                     -1);
    assert_int_equal(ini_parse("config", aws, sizeof aws - 1, INI_AWS, stop_at_once, &calls, &e), -1);
    assert_int_equal(calls, 2);
    assert_string_equal(e.msg, "enough");
}

static void aws_nul(void **state)
{
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(lex("[a]\nk = v\nl = \0\n", 17, INI_AWS, &out, &e), -1);
    assert_string_equal(e.msg, "NUL byte");
    assert_string_equal(e.what, "config:3");
    assert_int_equal(lex("[a]\nk = v\n\0", 11, INI_AWS, &out, &e), -1);
    assert_string_equal(e.what, "config:3");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_accepts), cmocka_unit_test(strict_indented),
        cmocka_unit_test(strict_quotes),  cmocka_unit_test(strict_refuses),
        cmocka_unit_test(strict_bytes),   cmocka_unit_test(strict_long_line),
        cmocka_unit_test(ranges),         cmocka_unit_test(handler_stops),
        cmocka_unit_test(line_numbers),   cmocka_unit_test(index_and_bodies),
        cmocka_unit_test(index_refuses),  cmocka_unit_test(aws_nul),
    };

    return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
