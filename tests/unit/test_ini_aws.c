/* SPDX-License-Identifier: MIT */
/*
 * The INI lexer with AWS's policy; its events are compared as text. The expected events of each row are what
 * Python's configparser, with which the AWS CLI reads its files, makes of the same text. A fault here is an
 * error for which the AWS CLI refuses the whole file.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/buf.h>
#include <base/mem.h>
#include <model/ini.h>

/* Writes an event as [SECTION], KEY=VALUE or !LINE WHY. */
static int show_event(void *context, const struct ini_event *event, struct err *e)
{
    struct buf *out = context;

    (void)e;
    if (event->fault)
        buf_printf(out, "!%u %s\n", event->line, event->fault->why);
    else if (event->key)
        buf_printf(out, "%s=%s\n", event->key, event->value);
    else
        buf_printf(out, "[%s]\n", event->section);
    return 0;
}

#define NBSP "\xc2\xa0"
#define LINE_SEPARATOR "\xe2\x80\xa8"

static const struct ini_case {
    const char *name, *text, *events; /* if the text is refused: "NAME:LINE: WHY" without LF */
} cases[] = {
    {"a comment", "# c\n[a]\n;d\nk = v\n", "[a]\nk=v\n"},
    {"an indented comment", "[a]\nk = v\n  # c\n\t;d\n" NBSP "#e\nl = w", "[a]\nk=v\nl=w\n"},
    {"a comment within a value is skipped", "[a]\nk = v\n# c\n  w\n", "[a]\nk=v\nw\n"},
    {"no comment after a value", "[a]\nk = v # c\n", "[a]\nk=v # c\n"},
    {"no comment after a continuation line", "[a]\nk = v\n w ;c", "[a]\nk=v\nw ;c\n"},
    {"empty lines before a continuation line", "[a]\nk = v\n\n \n  w\n\n", "[a]\nk=v\n\n\nw\n"},
    {"other empty lines are skipped", "[a]\nk = v\n\n\nl = w", "[a]\nk=v\nl=w\n"},

    {"Unicode white space is stripped", NBSP "[a]" NBSP "\n" NBSP "k" NBSP "=\xe3\x80\x80v\xe2\x80\x89\n",
     "[a]\nk=v\n"},
    {"form feeds and ASCII separators are stripped", "[a]\n\fk\v=\x1cv\f\n", "[a]\nk=v\n"},
    {"white space inside a value is kept", "[a]\nk = a" NBSP "b\fc", "[a]\nk=a" NBSP "b\fc\n"},
    {"a zero-width space is not white space", "[a]\nk = \xe2\x80\x8bv", "[a]\nk=\xe2\x80\x8bv\n"},

    {"a colon", "[a]\nk: v\nl : w=x\nm=a:b", "[a]\nk=v\nl=w=x\nm=a:b\n"},
    {"keys become lower case", "[a]\nK-X y = V", "[a]\nk-x y=V\n"},
    {"quotes are part of a value", "[a]\nk = \"v\"", "[a]\nk=\"v\"\n"},
    {"an empty value", "[a]\nk =\nl:", "[a]\nk=\nl=\n"},
    {"equals signs in a value", "[a]\nk = a==", "[a]\nk=a==\n"},

    {"indented keys", "[a]\n  k = v\n  l = w\n", "[a]\nk=v\nl=w\n"},
    {"a file that is indented as a whole", "  [a]\n    k = v\n  [b]\n    k = w", "[a]\nk=v\n[b]\nk=w\n"},
    {"a line indented more than a key continues it", "[a]\nk = v\n l = w", "[a]\nk=v\nl = w\n"},
    {"an indented section continues a key", "[a]\nk = v\n [b]\nl = w", "[a]\nk=v\n[b]\nl=w\n"},
    {"a line indented less is a key", "[a]\n  k = v\n    w\n l = x", "[a]\nk=v\nw\nl=x\n"},
    {"a tab counts as one character", "[a]\n\tk = v\n l = w", "[a]\nk=v\nl=w\n"},
    {"a no-break space counts as one character", "[a]\n" NBSP "k = v\n l = w", "[a]\nk=v\nl=w\n"},
    {"sub-properties", "[a]\nk =\n  x = y\n\n  z=\n", "[a]\nk=\nx = y\n\nz=\n"},
    {"sub-properties without '='", "[a]\nk =\n x=y\n z\n w=1\n",
     "[a]\n!4 no '=' in a sub-property\nk=\nx=y\nw=1\n"},
    {"a Unicode line end in a sub-property", "[a]\nk =\n x=y" LINE_SEPARATOR "z",
     "[a]\n!3 no '=' in a sub-property\nk=\n"},

    {"text after the bracket", "[a] # c\nk = v\n[b]x=y\nl = w", "[a]\nk=v\n[b]\nl=w\n"},
    {"brackets in a name", "[a[b]]\n[c] ]\n[]]\n[[]\n", "[a[b]]\n[c] ]\n[]]\n[[]\n"},
    {"white space in a name is kept", "[ a\t]", "[ a\t]\n"},
    {"a name that is not ASCII", "[profile B\xc3\xbcro]", "[profile B\xc3\xbcro]\n"},
    {"the same section twice", "[a]\nk=1\n[a]\nk=2", "[a]\nk=1\n[a]\nk=2\n"},

    {"no closing bracket: a section with a fault", "[a]\nk=1\n[b\nk=2\n[c]",
     "[a]\nk=1\n[b]\n!3 no ']' at the end of a section's name\nk=2\n[c]\n"},
    {"no closing bracket, in a line that is a key too", "[a]\nk=1\n[b = c\nk=2",
     "[a]\nk=1\n!3 no ']' at the end of a section's name\n[b = c]\n!3 no ']' at the end of a section's "
     "name\nk=2\n"},
    {"a line indented more continues a header", "[a]\n[b: c\n  [d]\nk=2",
     "[a]\n!2 no ']' at the end of a section's name\n[b: c]\n!2 no ']' at the end of a section's "
     "name\nk=2\n"},
    {"an empty name", "[]\nk = v", "[]]\n!1 no ']' at the end of a section's name\nk=v\n"},
    {"a lone bracket", "[", "[]\n!1 no ']' at the end of a section's name\n"},
    {"a line without '='", "[a]\nk=1\nword\nl=2", "[a]\n!3 no '=' in a property\nk=1\nl=2\n"},
    {"no key", "[a]\n= v", "[a]\n!2 no key before '=' in a property\n"},
    {"not UTF-8", "[a]\nk = \377\n[b]\n# \377\nl=1\n[\377]",
     "[a]\n!2 not UTF-8\nk=\377\n[b]\nl=1\n[\377]\n!6 not UTF-8\n"},

    {"CRLF", "[a]\r\nk = v\r\n w\r\n\r\nl =\r\n a = b\r\n", "[a]\nk=v\nw\nl=\na = b\n"},
    {"CR", "[a]\rk = v\r w\rl = x", "[a]\nk=v\nw\nl=x\n"},
    {"LF, CR and CRLF mixed", "[a]\r\nk = v\n\rl = x\n\r\n", "[a]\nk=v\nl=x\n"},
    {"an empty text", "", ""},
    {"no LF at the end", "[a]\nk =", "[a]\nk=\n"},
    {"many continuations", "[a]\nk = 1\n 2\n 3\n 4\n 5\n 6\nl = 7", "[a]\nk=1\n2\n3\n4\n5\n6\nl=7\n"},

    {"a key before the first section", "\nk = v\n[a]", "aws:2: a key before the first section"},
    {"a word before the first section", "word\n[a]", "aws:1: a key before the first section"},
};

static void lex(const char *text, size_t n, struct buf *out)
{
    AUTO_FREE(char *, copy);
    struct err e = ERR_INIT;

    copy = mem_alloc(n + 1, 1);
    memcpy(copy, text, n);
    if (ini_parse("aws", copy, n, INI_AWS, show_event, out, &e) == 0)
        return;
    assert_int_equal(e.code, ERR_CONFIG);
    assert_true(e.hint[0] != '\0');
    buf_clear(out);
    buf_printf(out, "%s: %s", e.what, e.msg);
}

static void aws_grammar(void **state)
{
    const struct ini_case *c = *state;
    AUTO_BUF(out, 65536);

    lex(c->text, strlen(c->text), &out);
    assert_string_equal(buf_str(&out), c->events);
}

static void nul_bytes(void **state)
{
    AUTO_BUF(out, 65536);

    (void)state;
    lex("[a]\nk = v\n# \0\n", 14, &out);
    assert_string_equal(buf_str(&out), "aws:3: NUL byte");
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases) + 1];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){
            .name = cases[i].name, .test_func = aws_grammar, .initial_state = (void *)(uintptr_t)&cases[i]};
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(nul_bytes);
    return cmocka_run_group_tests_name("ini, aws", tests, NULL, NULL);
}
