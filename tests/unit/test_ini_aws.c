/*
 * The INI lexer, AWS's policy. What the aws room will do with the sections (prefixes, merging of the two
 * files) is done here in the plainest way, so that each case can be compared as a whole.
 */
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

#include "ini_aws_cases.h"

struct property {
    char *section, *key, *value; /* key "": the section itself */
};

struct merge {
    struct property item[64];
    size_t count;
    bool is_credentials, has_prefixed_default;
};

static void merge_put(struct merge *m, const char *section, const char *key, const char *value)
{
    size_t i = 0;

    while (i < m->count && (strcmp(m->item[i].section, section) != 0 || strcmp(m->item[i].key, key) != 0))
        i++;
    assert_true(i < 64);
    if (i == m->count) {
        m->item[m->count++] = (struct property){mem_strdup(section), mem_strdup(key), mem_strdup(value)};
        return;
    }
    free(m->item[i].value);
    m->item[i].value = mem_strdup(value);
}

static void merge_release(struct merge *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->item[i].section);
        free(m->item[i].key);
        free(m->item[i].value);
    }
}

static bool has_valid_characters(const char *s)
{
    return *s && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.%@:+")];
}

/* What follows a prefix and blanks, NULL where the prefix is another one. */
static const char *after_prefix(const char *section, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(section, prefix, n) != 0 || !strchr(" \t", section[n]) || !section[n])
        return NULL;
    return section + n + strspn(section + n, " \t");
}

/* The name under which a section is kept, NULL where it is ignored. */
static const char *section_name(const struct merge *m, const char *section, char *room, size_t size)
{
    const char *profile = after_prefix(section, "profile"), *session = after_prefix(section, "sso-session");

    if (m->is_credentials)
        return has_valid_characters(section) ? section : NULL;
    if (session) {
        (void)snprintf(room, size, "sso-session %s", session);
        return has_valid_characters(session) ? room : NULL;
    }
    if (profile)
        return has_valid_characters(profile) ? profile : NULL;
    return strcmp(section, "default") == 0 && !m->has_prefixed_default ? section : NULL;
}

static int merge_event(void *context, const struct ini_event *event, struct err *e)
{
    struct merge *m = context;
    char room[256];
    const char *name = section_name(m, event->section, room, sizeof room);

    (void)e;
    if (name)
        merge_put(m, name, event->key ? event->key : "", event->key ? event->value : "");
    return 0;
}

static int find_default(void *context, const struct ini_event *event, struct err *e)
{
    struct merge *m = context;
    const char *profile = after_prefix(event->section, "profile");

    (void)e;
    m->has_prefixed_default |= profile && strcmp(profile, "default") == 0;
    return 0;
}

static int compare_properties(const void *a, const void *b)
{
    const struct property *x = a, *y = b;
    bool x_session = strncmp(x->section, "sso-session ", 12) == 0,
         y_session = strncmp(y->section, "sso-session ", 12) == 0;
    int by_section = strcmp(x->section, y->section);

    if (x_session != y_session)
        return x_session - y_session;
    return by_section ? by_section : strcmp(x->key, y->key);
}

static int lex_aws(const char *text, ini_handler *handle, struct merge *m, struct err *e)
{
    AUTO_FREE(char *, copy);

    copy = mem_strdup(text);
    return ini_parse("aws", copy, strlen(copy), INI_AWS, handle, m, e);
}

static void aws_grammar(void **state)
{
    const struct aws_case *c = *state;
    struct merge m = {0};
    struct err e = ERR_INIT;
    AUTO_BUF(out, 65536);
    int got = 0;

    if (c->config)
        got = lex_aws(c->config, find_default, &m, &e) < 0 || lex_aws(c->config, merge_event, &m, &e) < 0 ? -1
                                                                                                          : 0;
    m.is_credentials = true;
    if (got == 0 && c->credentials)
        got = lex_aws(c->credentials, merge_event, &m, &e);
    qsort(m.item, m.count, sizeof m.item[0], compare_properties);
    for (size_t i = 0; i < m.count; i++)
        buf_printf(&out, *m.item[i].key ? "%s%s=%s\n" : "%s[%s]\n", "",
                   *m.item[i].key ? m.item[i].key : m.item[i].section, m.item[i].value);
    merge_release(&m);
    if (c->refusal) {
        assert_int_equal(got, -1);
        assert_string_equal(e.msg, c->refusal);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_true(e.hint[0] != '\0' && strncmp(e.what, "aws:", 4) == 0);
        return;
    }
    if (got < 0)
        fail_msg("%s: %s", e.what, e.msg);
    assert_string_equal(buf_str(&out), c->profiles);
}

/* What the table does not say: aws.md section 1.2, read closely. */
static const struct aws_case own_aws_cases[] = {
    {"aws: a comment before the '=' hides it", "[profile a]\nk #x = v", NULL, NULL, "no '=' in a property"},
    {"aws: a comment inside brackets hides the bracket", "[profile a#b]", NULL, NULL,
     "no ']' at the end of a section's name"},
    {"aws: comments and blank lines do not end a value", "[profile a]\nk = v\n# c\n\n w", NULL,
     "[a]\nk=v\nw\n", NULL},
    {"aws: an indented comment continues the value", "[profile a]\nk = v\n # c", NULL, "[a]\nk=v\n# c\n",
     NULL},
    {"aws: an indented comment is a bad sub-property", "[profile a]\nk =\n # c", NULL, NULL,
     "no '=' in a sub-property"},
    {"aws: a sub-property may start with '#'", "[profile a]\nk =\n #c = d ;e", NULL, "[a]\nk=\n#c = d ;e\n",
     NULL},
    {"aws: only a comment after '=' leaves it empty", "[profile a]\nk = ;c\n a = b", NULL, "[a]\nk=\na = b\n",
     NULL},
    {"aws: an ignored key may be continued", "[profile a]\nin valid = x\n more\nk = v", NULL, "[a]\nk=v\n",
     NULL},
    {"aws: an ignored key's sub-properties are checked", "[profile a]\nin valid =\n more", NULL, NULL,
     "no '=' in a sub-property"},
    {"aws: quotes are part of a value", "[profile a]\nk = \"v\"", NULL, "[a]\nk=\"v\"\n", NULL},
    {"aws: bytes that are no UTF-8", "[profile a]\nk = \377\n", NULL, "[a]\nk=\377\n", NULL},
    {"aws: CRLF everywhere", "[profile a]\r\nk = v\r\n w\r\n\r\nl =\r\n a = b\r\n", NULL,
     "[a]\nk=v\nw\nl=\na = b\n", NULL},
    {"aws: a lone bracket", "[", NULL, NULL, "no ']' at the end of a section's name"},
    {"aws: many continuations", "[profile a]\nk = 1\n 2\n 3\n 4\n 5\n 6\nl = 7", NULL,
     "[a]\nk=1\n2\n3\n4\n5\n6\nl=7\n", NULL},
};

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(aws_cases) + ARRAY_LEN(own_aws_cases)];

    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        bool is_own = i >= ARRAY_LEN(aws_cases);
        const struct aws_case *c = is_own ? &own_aws_cases[i - ARRAY_LEN(aws_cases)] : &aws_cases[i];
        tests[i] = (struct CMUnitTest){
            .name = c->name, .test_func = aws_grammar, .initial_state = (void *)(uintptr_t)c};
    }
    return cmocka_run_group_tests_name("ini, aws", tests, NULL, NULL);
}
