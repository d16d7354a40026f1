/* SPDX-License-Identifier: MIT */
/*
 * The two files of ~/.aws: the 65 published cases of the SDKs, with both files merged
 * (tests/unit/test_ini_aws.c tests the lexer alone), the paths of the files, and files as users really write
 * them.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <aws/files.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#include "ini_aws_cases.h"
#include "aws_auto.h"

/* --- the published cases, rendered with sections sorted by kind and name, and keys by name */

static int compare_sections(const void *a, const void *b)
{
    const struct aws_section *x = *(const struct aws_section *const *)a,
                             *y = *(const struct aws_section *const *)b;

    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void dump_section(const struct aws_files *f, const struct aws_section *s, struct buf *out)
{
    const char *key[64];
    size_t n = 0;

    buf_printf(out, s->kind == AWS_SSO_SESSION ? "[sso-session %s]\n" : "[%s]\n", s->name);
    for (size_t i = 0; i < f->section_count; i++) {
        const struct aws_section *same = &f->section[i];
        if (same->kind != s->kind || strcmp(same->name, s->name) != 0)
            continue;
        for (size_t j = same->first; j < same->first + same->count; j++)
            key[n++] = f->property[j].key;
    }
    qsort(key, n, sizeof *key, compare_keys);
    for (size_t i = 0; i < n; i++) {
        const struct aws_property *p = aws_files_property(f, s->kind, s->name, key[i]);
        if (p && (i == 0 || strcmp(key[i], key[i - 1]) != 0))
            buf_printf(out, "%s=%s\n", key[i], p->value);
    }
}

static void dump(const struct aws_files *f, struct buf *out)
{
    const struct aws_section *section[64], *last = NULL;
    size_t n = 0;

    for (size_t i = 0; i < f->section_count; i++)
        section[n++] = &f->section[i];
    qsort(section, n, sizeof *section, compare_sections);
    for (size_t i = 0; i < n; last = section[i++])
        if (!last || compare_sections(&last, &section[i]) != 0)
            dump_section(f, section[i], out);
}

/* Returns 0 if every section is valid. */
static int check_all(const struct aws_files *f, struct err *e)
{
    for (size_t i = 0; i < f->section_count; i++)
        if (aws_files_check(f, f->section[i].kind, f->section[i].name, e) < 0)
            return -1;
    return 0;
}

static void published_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(aws_cases); i++) {
        const struct aws_case *c = &aws_cases[i];
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        AUTO_BUF(out, 65536);
        int parsed = aws_files_parse(c->config, c->config ? strlen(c->config) : 0, c->credentials,
                                     c->credentials ? strlen(c->credentials) : 0, &files, &e);
        if (parsed == 0)
            dump(&files, &out);
        if (parsed < 0 || check_all(&files, &e) < 0) {
            assert_int_equal(e.code, ERR_CONFIG);
            assert_true(e.what[0] && e.hint[0]);
            buf_clear(&out);
            buf_puts(&out, e.msg);
        }
        if (strcmp(buf_str(&out), c->refusal ? c->refusal : c->profiles) != 0)
            fail_msg("%s: %s", c->name, buf_str(&out));
    }
}

/* --- files as users write them */

#define KEYS "aws_access_key_id = id\naws_secret_access_key = secret\n"

static void files_as_users_write_them(void **state)
{
    static const struct {
        const char *name, *credentials, *key, *value;
    } cases[] = {
        {"CRLF", "[p]\r\naws_secret_access_key = secret\r\n", "aws_secret_access_key", "secret"},
        {"byte order mark", "\xef\xbb\xbf[p]\nk = v\n", "k", "v"},
        {"byte order mark and CRLF", "\xef\xbb\xbf[p]\r\nk = v\r\n", "k", "v"},
        {"no line end after the last line", "[p]\nk = v", "k", "v"},
        {"keys in capitals", "[p]\nAWS_ACCESS_KEY_ID=id", "aws_access_key_id", "id"},
        {"values keep their case", "[p]\nk = AbC", "k", "AbC"},
        {"quotes belong to a name in the credentials file", "['p']\nk = 1\n", "k", NULL},
        {"= + / in a secret", "[p]\nk = a/b+c==\n", "k", "a/b+c=="},
        {"# without a space before it", "[p]\nk = a#b\n", "k", "a#b"},
        {"# after a space does not begin a comment", "[p]\nk = a # b\n", "k", "a # b"},
        {"Latin-1", "[p]\nk = \xfc\n", "k", "\xfc"},
        {"a colon", "[p]\nk : v = w\n", "k", "v = w"},
        {"a section has the keys of [DEFAULT]", "[DEFAULT]\nk = all\nl = all\n[p]\nl = own\n", "k", "all"},
        {"a section's own key overrides [DEFAULT]", "[DEFAULT]\nk = all\n[p]\nk = own\n", "k", "own"},
        {"a section that does not exist has no keys of [DEFAULT]", "[DEFAULT]\nk = all\n[q]\n", "k", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        if (aws_files_parse(NULL, 0, cases[i].credentials, strlen(cases[i].credentials), &files, &e) < 0)
            fail_msg("%s: %s", cases[i].name, e.msg);
        const struct aws_property *p = aws_files_property(&files, AWS_PROFILE, "p", cases[i].key);
        if (!text_equal(p ? p->value : NULL, cases[i].value))
            fail_msg("%s: %s", cases[i].name, p ? p->value : "nothing");
    }
}

static void nested(void **state)
{
    static const char text[] = "[services s]\nsts =\n  endpoint_url = http://no\n  endpoint_url = "
                               "https://sts:1\n  other=2\nsso = \n\n"
                               " ENDPOINT_URL = x\n endpoint_url\xc2\xa0=\nplain = v\n";
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);
    AUTO_BUF(sts, 64);
    AUTO_BUF(other, 64);
    AUTO_BUF(sso, 64);

    (void)state;
    assert_int_equal(aws_files_parse(text, strlen(text), NULL, 0, &files, &e), 0);
    const struct aws_property *p = aws_files_property(&files, AWS_SERVICES, "s", "sts");
    assert_true(aws_files_nested(p, "endpoint_url", &sts));
    assert_string_equal(buf_str(&sts), "https://sts:1");
    assert_true(aws_files_nested(p, "other", &other));
    assert_string_equal(buf_str(&other), "2");
    assert_false(aws_files_nested(p, "endpoint", &sts));
    assert_true(aws_files_nested(aws_files_property(&files, AWS_SERVICES, "s", "sso"), "endpoint_url", &sso));
    assert_string_equal(buf_str(&sso), "");
    assert_false(aws_files_nested(aws_files_property(&files, AWS_SERVICES, "s", "plain"), "v", &sso));
    assert_null(aws_files_property(&files, AWS_PROFILE, "s", "sts"));
}

/* The kind of section and the name that a header of the config file stands for. */
static void headers(void **state)
{
    static const struct {
        const char *header;
        enum aws_section_kind kind;
        const char *name; /* NULL: the section is ignored */
    } cases[] = {
        {"default", AWS_PROFILE, "default"},
        {"profile default", AWS_PROFILE, "default"},
        {"profile 'My Dev'", AWS_PROFILE, "My Dev"},
        {"profile \"My Dev\"", AWS_PROFILE, "My Dev"},
        {"profile My\\ Dev", AWS_PROFILE, "My Dev"},
        {"profile  a\t", AWS_PROFILE, "a"},
        {"profile a'b c'd", AWS_PROFILE, "ab cd"},
        {"profile B\xc3\xbcro/1!", AWS_PROFILE, "B\xc3\xbcro/1!"},
        {"profile a[b]", AWS_PROFILE, "a[b]"},
        {"profile \\'", AWS_PROFILE, "'"},
        {"profile ''", AWS_PROFILE, ""},
        {"sso-session 'My Corp'", AWS_SSO_SESSION, "My Corp"},
        {"services a", AWS_SERVICES, "a"},
        {"profile-x a", AWS_PROFILE, "a"},
        {"DEFAULT", AWS_DEFAULTS, "DEFAULT"},
        {"profile", AWS_PROFILE, NULL},
        {"profilea", AWS_PROFILE, NULL},
        {"profile a b", AWS_PROFILE, NULL},
        {"profile 'a", AWS_PROFILE, NULL},
        {"profile a\\", AWS_PROFILE, NULL},
        {" profile a", AWS_PROFILE, NULL},
        {" default", AWS_PROFILE, NULL},
        {"Default", AWS_PROFILE, NULL},
        {"a", AWS_PROFILE, NULL},
        {"plugins", AWS_PROFILE, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        AUTO_FREE(char *, text);
        text = mem_printf("[%s]\nk = v\n", cases[i].header);
        assert_int_equal(aws_files_parse(text, strlen(text), NULL, 0, &files, &e), 0);
        if (files.section_count != (cases[i].name ? 1 : 0) ||
            (cases[i].name &&
             (files.section->kind != cases[i].kind || !text_equal(files.section->name, cases[i].name))))
            fail_msg("[%s]: %s", cases[i].header, files.section_count ? files.section->name : "nothing");
    }
}

/* Profile p cannot be used if its own section, or the [DEFAULT] of its file, has an invalid line. */
static void invalid_sections(void **state)
{
    static const struct {
        const char *config, *credentials, *what, *why; /* NULL: p can be used */
    } cases[] = {
        {"[profile p]\nk = v\n[profile q]\nnonsense\n= x\n[profile q]\n", NULL, NULL, NULL},
        {"[profile q]\nnonsense\n[profile p]\nk = v\n[q\nk=w\n[]\n[profile x y]\nz\n", NULL, NULL, NULL},
        {"[profile p]\nk = v\n", "[q]\nnonsense\n[p]\nk = w\n", NULL, NULL},
        {"[profile p]\n\nnonsense\n", NULL, "config:3", "no '=' in a property"},
        {"[profile p]\nk = v\n", "[p]\nl\n", "credentials:2", "no '=' in a property"},
        {"[profile p]\n[profile q]\n[profile p]\n", NULL, "config:3", "[profile p] again, after line 1"},
        {"[profile p]\nk = 1\nl = 2\nK = 3\n", NULL, "config:4", "k again, after line 2"},
        {"[profile p]\nk = \377\n", NULL, "config:2", "not UTF-8"},
        {"[profile p]\ns3 =\n  a = b\n  c\n", NULL, "config:4", "no '=' in a sub-property"},
        {"[profile p\nk = v\n", NULL, "config:1", "no ']' at the end of a section's name"},
        {"[profile p]\nk = v\n[profile q = x\nk = w\n", NULL, "config:3",
         "no ']' at the end of a section's name"},
        {"[profile p]\nk = v\n[profile \"p\"]\nnonsense\n", NULL, "config:4", "no '=' in a property"},
        {"[DEFAULT]\nnonsense\n[profile p]\n", NULL, "config:2", "no '=' in a property"},
        {"[profile p]\n", "[DEFAULT]\nnonsense\n[q]\n", NULL, NULL},
        {"[profile p]\n", "[DEFAULT]\nk=1\nk=2\n[p]\n", "credentials:3", "k again, after line 2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        const char *credentials = cases[i].credentials;
        assert_int_equal(aws_files_parse(cases[i].config, strlen(cases[i].config), credentials,
                                         credentials ? strlen(credentials) : 0, &files, &e),
                         0);
        assert_int_equal(aws_files_check(&files, AWS_PROFILE, "nowhere", &e), 0);
        assert_true(aws_files_has(&files, AWS_PROFILE, "p"));
        int checked = aws_files_check(&files, AWS_PROFILE, "p", &e);
        if (checked != (cases[i].why ? -1 : 0) || !text_equal(e.msg, cases[i].why ? cases[i].why : "") ||
            !text_equal(e.what, cases[i].what ? cases[i].what : "") || (checked < 0 && !e.hint[0]))
            fail_msg("%zu: %s: %s", i, e.what, e.msg);
    }
}

/* If a name is spelled in several ways, only the last section counts. */
static void last_spelling_counts(void **state)
{
    static const char text[] =
        "[default]\na = 1\n[profile default]\nb = 2\n[profile 'x']\na = 3\n[profile x]\n";
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);

    (void)state;
    assert_int_equal(aws_files_parse(text, strlen(text), NULL, 0, &files, &e), 0);
    assert_int_equal(check_all(&files, &e), 0);
    assert_null(aws_files_property(&files, AWS_PROFILE, "default", "a"));
    assert_string_equal(aws_files_property(&files, AWS_PROFILE, "default", "b")->value, "2");
    assert_null(aws_files_property(&files, AWS_PROFILE, "x", "a"));
}

/* aws_files_property_of() looks in one file only: both halves of a key pair must be in the same file. */
static void property_of_one_file(void **state)
{
    static const char config[] = "[profile p]\na = config\nb = config\n",
                      credentials[] = "[p]\na = credentials\n";
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);
    AUTO_FREE(char *, place);

    (void)state;
    assert_int_equal(aws_files_parse(config, strlen(config), credentials, strlen(credentials), &files, &e),
                     0);
    assert_string_equal(aws_files_property(&files, AWS_PROFILE, "p", "a")->value, "credentials");
    assert_string_equal(aws_files_property(&files, AWS_PROFILE, "p", "b")->value, "config");
    assert_string_equal(aws_files_property_of(&files, AWS_FILE_CONFIG, "p", "a")->value, "config");
    assert_null(aws_files_property_of(&files, AWS_FILE_CREDENTIALS, "p", "b"));
    place = aws_files_place(&files, aws_files_property(&files, AWS_PROFILE, "p", "b"));
    assert_string_equal(place, "config:3");
    assert_false(aws_files_has(&files, AWS_PROFILE, "q"));
    assert_false(aws_files_has(&files, AWS_PROFILE, ""));
}

/* --- the paths of the files */

static char home[] = "/tmp/broker-aws-XXXXXX";

static int make_home(void **state)
{
    (void)state;
    return mkdtemp(home) && setenv("HOME", home, 1) == 0 ? 0 : -1;
}

static int remove_home(void **state)
{
    static const char *const names[] = {
        "/.aws/config", "/.aws/credentials", "/.aws", "/other", "/link", "/big", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE(char *, path);
        path = mem_printf("%s%s", home, names[i]);
        (void)remove(path);
    }
    return 0;
}

static char *put(const char *name, const char *text, size_t n)
{
    char *path = mem_printf("%s/%s", home, name);
    struct err e = ERR_INIT;

    assert_int_equal(file_write(path, text, n, 0600, &e), 0);
    return path;
}

static const char *value_of(const struct aws_files *f, const char *key)
{
    const struct aws_property *p = aws_files_property(f, AWS_PROFILE, "default", key);

    return p ? p->value : NULL;
}

static void paths(void **state)
{
    struct err e = ERR_INIT;
    AUTO_FREE(char *, config);
    AUTO_FREE(char *, credentials);
    AUTO_FREE(char *, other);
    AUTO_FREE(char *, link);

    (void)state;
    config = put(".aws/config", "[default]\nk = usual\n", 20);
    credentials = put(".aws/credentials", "[default]\nl = usual\n", 20);
    other = put("other", "[default]\nk = other\nl = other\n", 30);
    link = mem_printf("%s/link", home);
    assert_int_equal(symlink(other, link), 0);
    const struct {
        struct aws_env env;
        const char *k, *l;
    } cases[] = {
        {{0}, "usual", "usual"},
        {{.config_file = other}, "other", "usual"},
        {{.credentials_file = other}, "other", "other"},
        {{.config_file = "~/other"}, "other", "usual"},
        {{.config_file = link}, "other", "usual"},
        {{.config_file = "/nowhere/config"}, NULL, "usual"},
        {{.config_file = "/dev/null", .credentials_file = home}, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_AWS_FILES(files);
        assert_int_equal(aws_files_load(&cases[i].env, &files, &e), 0);
        assert_true(text_equal(value_of(&files, "k"), cases[i].k));
        assert_true(text_equal(value_of(&files, "l"), cases[i].l));
    }
}

static void refused_files(void **state)
{
    struct err e = ERR_INIT;
    struct aws_env env = {0};
    AUTO_FREE(char *, big);
    AUTO_FREE(char *, broken);
    AUTO_FREE(char *, text);

    (void)state;
    text = mem_alloc(20 << 20, 1);
    memset(text, '#', 20 << 20);
    big = put("big", text, 20 << 20);
    env.credentials_file = big;
    for (int i = 0; i < 2; i++) {
        AUTO_AWS_FILES(files);
        assert_int_equal(aws_files_load(&env, &files, &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_string_equal(e.what, i ? "~/other:2" : "~/big");
        assert_string_equal(e.msg, i ? "a key before the first section" : "over 4194304 bytes");
        err_clear(&e);
        free(broken);
        broken = put("other", "# c\nnonsense\n", 13);
        env.credentials_file = broken;
    }
}

static int64_t cpu_ns(void)
{
    struct timespec used;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Returns the CPU time of reading a file with `count` profiles, and finding the last one, `times` times. */
static int64_t time_of(int count, int times)
{
    AUTO_BUF(text, AWS_FILE_MOST);
    char last[16];

    for (int i = 0; i < count; i++)
        buf_printf(&text, "[profile p%d]\nregion = eu-west-1\n", i);
    (void)snprintf(last, sizeof last, "p%d", count - 1);
    int64_t before = cpu_ns();
    for (int i = 0; i < times; i++) {
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        assert_int_equal(aws_files_parse(buf_str(&text), text.len, NULL, 0, &files, &e), 0);
        assert_int_equal(files.section_count, count);
        assert_non_null(aws_files_property(&files, AWS_PROFILE, last, "region"));
    }
    return cpu_ns() - before;
}

/* Forty times as many profiles take about as long as forty small files, not forty times as long, as they
 * would if each profile were compared with all others. The best of several runs counts. */
static void time_grows_with_the_profiles(void **state)
{
    bool is_linear = false;

    (void)state;
#ifdef __SANITIZE_ADDRESS__ /* its realloc() copies each time, so its time is not ours */
    is_linear = time_of(20000, 1) > 0;
#endif
    for (int i = 0; i < 5 && !is_linear; i++)
        is_linear = time_of(20000, 1) < 8 * time_of(500, 40);
    assert_true(is_linear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_cases),
        cmocka_unit_test(files_as_users_write_them),
        cmocka_unit_test(headers),
        cmocka_unit_test(invalid_sections),
        cmocka_unit_test(last_spelling_counts),
        cmocka_unit_test(nested),
        cmocka_unit_test(property_of_one_file),
        cmocka_unit_test(paths),
        cmocka_unit_test(refused_files),
        cmocka_unit_test(time_grows_with_the_profiles),
    };

    return cmocka_run_group_tests(tests, make_home, remove_home);
}
