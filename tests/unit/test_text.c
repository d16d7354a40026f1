/* SPDX-License-Identifier: MIT */
/*
 * Text helpers: words as sh splits them (compared with a real sh), placeholders, percent-encoding, numbers,
 * the closest name, and what may be written to a terminal.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/space.h>
#include <base/text.h>

/* Appends the words as "[a][b c][]". */
static void join(const struct words *w, struct buf *out)
{
    for (size_t i = 0; i < w->count; i++)
        buf_printf(out, "[%s]", w->word[i]);
}

static const struct split {
    const char *text, *words; /* words NULL: refused */
} splits[] = {
    {"a", "[a]"},
    {"a b  c", "[a][b][c]"},
    {" \ta\tb \n", "[a][b]"},
    {"'a b' c", "[a b][c]"},
    {"\"a b\" c", "[a b][c]"},
    {"''", "[]"},
    {"\"\" a", "[][a]"},
    {"a''b", "[ab]"},
    {"a'b c'd\"e f\"", "[ab cde f]"},
    {"a\\ b", "[a b]"},
    {"a\\\\b", "[a\\b]"},
    {"'a\\b'", "[a\\b]"},
    {"'a\"b'", "[a\"b]"},
    {"\"a'b\"", "[a'b]"},
    {"\"a\\\"b\"", "[a\"b]"},
    {"\"a\\\\b\"", "[a\\b]"},
    {"\"a\\nb\"", "[a\\nb]"},
    {"\\'a\\\"", "['a\"]"},
    {"{\"a\":1}", "[{a:1}]"},
    {"x='a b'", "[x=a b]"},
    {"", NULL},
    {"  \t", NULL},
    {"'a", NULL},
    {"\"a", NULL},
    {"a\\", NULL},
    {"'a'\"", NULL},
};

static void split_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
        AUTO_WORDS(words);
        AUTO_BUF(text, 1024);
        struct err e = ERR_INIT;
        int got = text_split_words(splits[i].text, &words, &e);
        join(&words, &text);
        if (!splits[i].words)
            assert_int_equal(e.code, ERR_CONFIG);
        else if (got < 0 || strcmp(buf_str(&text), splits[i].words) != 0)
            fail_msg("%s: %s, not %s", splits[i].text, buf_str(&text), splits[i].words);
        assert_int_equal(got, splits[i].words ? 0 : -1);
    }
}

static void split_lists(void **state)
{
    static const char *const lists[][2] = {{"a,bc,d", "a|bc|d"}, {",a,,b,", "a|b"},   {"a", "a"}, {"", ""},
                                           {",,", ""},           {"a b\nc", "a b\nc"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        AUTO_WORDS(words);
        AUTO_BUF(text, 1024);
        words_split(&words, lists[i][0], ',');
        for (size_t w = 0; w < words.count; w++) {
            buf_printf(&text, "%s%s", w ? "|" : "", words.word[w]);
            assert_true(words_have(&words, words.word[w]));
        }
        assert_string_equal(buf_str(&text), lists[i][1]);
        assert_false(words_have(&words, "") || words_have(&words, "b,"));
    }
}

/* Checks the same table with sh itself. */
static void split_as_sh(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
        AUTO_PROC_RESULT(result);
        AUTO_FREE(char *, script);
        struct err e = ERR_INIT;
        if (!splits[i].words)
            continue;
        script = mem_printf("set -f; set -- %s\nfor w; do printf '[%%s]' \"$w\"; done", splits[i].text);
        char shell[] = "/bin/sh", option[] = "-c", *argv[] = {shell, option, script, NULL};
        struct proc_run run = {.argv = argv, .deadline = clock_deadline(10000, CLOCK_NEVER), .max = 1024};
        assert_int_equal(proc_capture(&run, &result, &e), 0);
        assert_string_equal(secret_bytes(result.out), splits[i].words);
    }
}

static void placeholders(void **state)
{
    static const char *const names[] = {"host", "port", "hole", NULL};
    static const char *const values[] = {"{port}", "3306", NULL};
    static const struct {
        const char *text, *filled;
    } cases[] = {
        {"", ""},
        {"{host}", "{port}"}, /* a placeholder in a value is not replaced */
        {"a{port}b{port}", "a3306b3306"},
        {"{hole}", ""},
        {"{hos}{hostx}{}{ host}", "{hos}{hostx}{}{ host}"},
        {"{{port}}", "{3306}"},
        {"{port", "{port"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {"port} {", "port} {"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(out, 256);
        text_fill(&out, cases[i].text, names, values);
        assert_string_equal(buf_str(&out), cases[i].filled);
    }
}

static void percent(void **state)
{
    static const char *const bad[] = {"%", "%4", "%zz", "%4g", "a%", "%00", "a%00b", "%%20", "% 20"};
    static const char plain[] = "AZaz09-._~";
    AUTO_BUF(one, 64);
    AUTO_BUF(kept, 64);

    (void)state;
    text_percent_encode(&kept, plain, sizeof plain - 1);
    assert_string_equal(buf_str(&kept), plain);
    text_percent_encode(&one, "a b+/%\xc3\xa9\x01", 9);
    assert_string_equal(buf_str(&one), "a%20b%2B%2F%25%C3%A9%01");
    for (int c = 1; c < 256; c++) {
        AUTO_BUF(encoded, 16);
        AUTO_BUF(decoded, 16);
        char byte = (char)c;
        text_percent_encode(&encoded, &byte, 1);
        assert_true(encoded.len == 3 || strchr(plain, c) || (c >= '0' && c <= '9') ||
                    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
        assert_true(text_percent_decode(&decoded, buf_str(&encoded), encoded.len));
        assert_int_equal(decoded.len, 1);
        assert_int_equal(buf_str(&decoded)[0], byte);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_BUF(out, 64);
        if (text_percent_decode(&out, bad[i], strlen(bad[i])))
            fail_msg("'%s' decoded", bad[i]);
    }
    AUTO_BUF(once, 64);
    AUTO_BUF(small, 2);
    assert_true(text_percent_decode(&once, "%2541+%2f", 9));
    assert_string_equal(buf_str(&once), "%41+/");
    assert_false(text_percent_decode(&once, "%41", 2)); /* nothing after the end is read */
    assert_false(text_percent_decode(&small, "abc", 3));
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        unsigned long max, number;
        bool good;
    } cases[] = {
        {"0", 10, 0, true},
        {"10", 10, 10, true},
        {"11", 10, 0, false},
        {"007", 10, 7, true},
        {"3306", 65535, 3306, true},
        {"65536", 65535, 0, false},
        {"5", 4, 0, false},
        {"", 10, 0, false},
        {"-1", 10, 0, false},
        {"+1", 10, 0, false},
        {" 1", 10, 0, false},
        {"1 ", 10, 0, false},
        {"0x1", 10, 0, false},
        {"1.0", 10, 0, false},
        {NULL, 10, 0, false},
        {"18446744073709551615", ULONG_MAX, ULONG_MAX, true},
        {"18446744073709551616", ULONG_MAX, 0, false},
        {"99999999999999999999999", ULONG_MAX, 0, false},
        {"0", 0, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned long n = 0;
        if (text_number(cases[i].text, cases[i].max, &n) != cases[i].good || n != cases[i].number)
            fail_msg("%s up to %lu: %lu", cases[i].text, cases[i].max, n);
    }
}

static void closest(void **state)
{
    static const char *const verbs[] = {"connect", "exec", "test", "token", "password", "profile", NULL};
    static const struct {
        const char *typed, *meant;
    } cases[] = {
        {"conect", "connect"},
        {"connetc", "connect"},
        {"tets", "test"},
        {"tokn", "token"},
        {"profil", "profile"},
        {"exce", "exec"},
        {"pasword", "password"},
        {"xyz", NULL},
        {"x", NULL},
        {"", NULL},
        {"status", NULL},
        {"connect", "connect"},
    };
    char vast[5000];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *meant = text_closest(cases[i].typed, verbs);
        if (!text_equal(meant, cases[i].meant))
            fail_msg("%s: %s, not %s", cases[i].typed, meant ? meant : "nothing",
                     cases[i].meant ? cases[i].meant : "nothing");
    }
    memset(vast, 'c', sizeof vast - 1);
    vast[sizeof vast - 1] = '\0';
    const char *const huge[] = {vast, "connect", NULL};
    assert_null(text_closest(vast, verbs));
    assert_string_equal(text_closest("conect", huge), "connect");
}

static void sanitised(void **state)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"plain text\nline\ttab", "plain text\nline\ttab"},
        {"h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x90\xac", "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x90\xac"},
        {"a\x1b[31mred\x07\r\x7f\b", "a?[31mred????"},
        {"\xc2\x9b"
         "31m",
         "?31m"},                              /* C1: another escape character */
        {"a\xe2\x80\xaegnp.exe", "a?gnp.exe"}, /* right to left override */
        {"\xe2\x81\xa6x\xe2\x81\xa9", "?x?"},  /* isolates */
        {"zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zero?width?"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "??"},                              /* line separators */
        {"\xd8\x9c", "?"},                                               /* Arabic letter mark */
        {"a\xf3\xa0\x80\x80\xf3\xa0\x81\x81\xf3\xa0\x81\xbfz", "a???z"}, /* tags: U+E0000, E0041, E007F */
        {"\xf3\xa0\x82\x80", "\xf3\xa0\x82\x80"},                        /* U+E0080 is not a tag */
        {"\xff\xfe", "??"},
        {"\xc0\x9b", "??"}, /* overlong */
        {"\xe0\x80\x9b", "???"},
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
        {"\xe2\x82", "??"},           /* cut short */
        {"\xe2\x82z", "??z"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(out, 256);
        text_sanitise(&out, cases[i].text, strlen(cases[i].text));
        assert_string_equal(buf_str(&out), cases[i].clean);
    }
    AUTO_BUF(out, 16);
    text_sanitise(&out, "a\0b\xe2\x82\xac", 5); /* NUL, and a character that is cut off */
    assert_string_equal(buf_str(&out), "a?b??");
    AUTO_BUF(line, 64);
    buf_puts(&line, "a\n");
    text_sanitise_line(&line, "b\nhint: c\td\r", 12);
    assert_string_equal(buf_str(&line), "a\nb?hint: c?d?");
}

static void addresses(void **state)
{
    static const struct {
        const char *host;
        long port;
        const char *text;
    } cases[] = {{"db.example.com", 3306, "db.example.com:3306"},
                 {"db.example.com", -1, "db.example.com"},
                 {"2001:db8::1", 22, "[2001:db8::1]:22"},
                 {"::1", -1, "[::1]"},
                 {"127.0.0.1", 0, "127.0.0.1:0"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(out, 64);
        text_address(&out, cases[i].host, cases[i].port);
        assert_string_equal(buf_str(&out), cases[i].text);
    }
}

static void quoted(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"/usr/bin/a-b_c.d:e,f%g@h+i=j", "/usr/bin/a-b_c.d:e,f%g@h+i=j"},
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"$HOME", "'$HOME'"},
        {"a\nb", "'a\nb'"},
        {"~", "'~'"},
        {"*", "'*'"},
        {"a;b", "'a;b'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(out, 256);
        text_quote_sh(&out, cases[i][0]);
        assert_string_equal(buf_str(&out), cases[i][1]);
    }
}

/* RFC 7693 has BLAKE2b-512 only; these were made with `b2sum -l 128`. */
static void hashes(void **state)
{
    char hash[33];

    (void)state;
    text_hash("", 0, hash);
    assert_string_equal(hash, "cae66941d9efbd404e4d88758ea67670");
    text_hash("abc", 3, hash);
    assert_string_equal(hash, "cf4ab791c62b8d2b2109c90275287816");
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL) && text_equal("a", "a") && text_equal_nocase("aB", "Ab"));
    assert_false(text_equal("a", NULL) || text_equal(NULL, "") || text_equal("a", "A") ||
                 text_equal_nocase("a", "b"));
    assert_true(text_starts("abc", "ab") && text_starts("ab", "") && text_starts("ab", "ab"));
    assert_false(text_starts("ab", "abc") || text_starts("", "a"));
    assert_true(text_ends("abc", "bc") && text_ends("abc", "") && text_ends("abc", "abc"));
    assert_false(text_ends("bc", "abc") || text_ends("abc", "ab"));
}

/* The same characters as Python's str.isspace(). */
static void white_space(void **state)
{
    static const struct {
        const char *text;
        size_t lead, trim;
    } cases[] = {
        {"", 0, 0},
        {" \t\n\v\f\r\x1c\x1d\x1e\x1f", 10, 0},
        {" a ", 1, 2},
        {"\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x8a", 13, 0},
        {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80", 15, 0},
        {"\xc2\xa0x\xe3\x80\x80y\xc2\xa0", 2, 7},
        {"\xe2\x80\x8b", 0, 3}, /* zero width */
        {"\xef\xbb\xbf", 0, 3}, /* the byte order mark */
        {"\xe1\xa0\x8e", 0, 3}, /* U+180E */
        {"\x08\x7f\x1b", 0, 3},
        {"\xc2\xa1\xc3\xa0", 0, 4},
        {"\x85\xa0", 0, 2}, /* not UTF-8 */
        {"\xe2\x80", 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = strlen(cases[i].text);
        if (space_lead(cases[i].text, n) != cases[i].lead || space_trim(cases[i].text, n) != cases[i].trim)
            fail_msg("%zu: %zu %zu", i, space_lead(cases[i].text, n), space_trim(cases[i].text, n));
    }
}

static void columns_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *text;
        size_t columns, most, fits; /* fits: the bytes of the beginning that takes at most `most` columns */
    } cases[] = {
        {"", 0, 5, 0},           {"plain", 5, 5, 5},         {"plain", 5, 3, 3},
        {"plain", 5, 0, 0},      {"\u00e9t\u00e9", 3, 2, 3}, {"\u65e5\u672c\u8a9e", 6, 5, 6}, /* wide */
        {"a\u65e5", 3, 2, 1},    {"e\u0301x", 2, 1, 3},   /* a combining mark stays with its letter */
        {"\U0001f600", 2, 1, 0}, {"a\xff\xfe!", 4, 3, 3}, /* malformed: one column for each byte */
        {"\xe6\x97", 1, 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t columns;
        assert_int_equal(text_columns(cases[i].text), cases[i].columns);
        assert_int_equal(text_fit(cases[i].text, cases[i].most, &columns), cases[i].fits);
        assert_true(columns <= cases[i].most);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space), cmocka_unit_test(split_words),
        cmocka_unit_test(split_as_sh), cmocka_unit_test(placeholders),
        cmocka_unit_test(percent),     cmocka_unit_test(numbers),
        cmocka_unit_test(closest),     cmocka_unit_test(sanitised),
        cmocka_unit_test(quoted),      cmocka_unit_test(addresses),
        cmocka_unit_test(hashes),      cmocka_unit_test(comparisons),
        cmocka_unit_test(split_lists), cmocka_unit_test(columns_are_those_of_a_terminal),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
