/*
 * The INI lexer. Our own policy: each rule of include/model/ini.h, with the whole error. AWS's policy: the 65
 * cases of smithy-rs's profile-parser-tests.json (Apache-2.0, Amazon), as facts in a table of our own: two
 * file texts and what they must come to. What the aws room will do with sections (prefixes, merging) is done
 * here in the plainest way.
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

/* --- our policy
 * ----------------------------------------------------------------------------------------------------- */

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

/* Lexes exactly n bytes in memory of their own, so that a sanitizer sees every step over the end. */
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
    expect_refusal("[a]\nk = v\n  continued\n", "config:3", "line starts with a blank");
    expect_refusal("[a]\n\tk = v\n", "config:2", "line starts with a blank");
    expect_refusal(" [a]\n", "config:1", "line starts with a blank");
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
    char wall[400];
    (void)state;
    expect_refusal_n("[a]\nk = v\0w\n", 12, "config:2", "NUL byte");
    expect_refusal_n("\0", 1, "config:1", "NUL byte");
    expect_refusal("[a]\nk = \x1b[31m\n", "config:2", "control character 0x1b");
    expect_refusal("[a]\rk = v\n", "config:1", "control character 0x0d");
    expect_refusal("[a]\nk = v\r", "config:2", "control character 0x0d");
    expect_refusal("[a]\nk = \x7f\n", "config:2", "control character 0x7f");
    expect_refusal("[a]\n# \xff\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xc0\xaf\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xed\xa0\x80\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xf4\x90\x80\x80\n", "config:2", "not UTF-8");
    expect_refusal("[a]\n# \xe2\x82", "config:2", "not UTF-8");
    for (size_t at = 4; at < sizeof wall; at++) {
        memset(wall, '#', sizeof wall);
        memcpy(wall, "[a]\n", 4);
        wall[at] = '\1';
        expect_refusal_n(wall, sizeof wall, "config:2", "control character 0x01");
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

/* The byte range of an event is that of its lines in the text as it was. */
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

/* --- AWS's policy
 * ----------------------------------------------------------------------------------------------------- */

struct aws_case {
    const char *name, *config, *credentials; /* NULL: no such file */
    const char *profiles, *refusal;          /* sections and keys in order of their names */
};

static const struct aws_case aws_cases[] = {
    {"Empty files have no profiles.", "", NULL, "", NULL},
    {"Empty profiles have no properties.", "[profile foo]", NULL, "[foo]\n", NULL},
    {"Profile names support alphanumeric characters and - / . % @ _ : +",
     "[profile some-thing:long/the_one%only.foo@bar+]\n[profile foo!bar]", NULL,
     "[some-thing:long/the_one%only.foo@bar+]\n", NULL},
    {"Profile definitions must end with brackets.", "[profile foo", NULL, NULL,
     "no ']' at the end of a section's name"},
    {"Profile names should be trimmed.", "[profile \tfoo \t]", NULL, "[foo]\n", NULL},
    {"Tabs can separate profile names from profile prefix.", "[profile\tfoo]", NULL, "[foo]\n", NULL},
    {"Properties must be defined in a profile.", "name = value", NULL, NULL,
     "a key before the first section"},
    {"Profiles can contain properties.", "[profile foo]\nname = value", NULL, "[foo]\nname=value\n", NULL},
    {"Windows style line endings are supported.", "[profile foo]\r\nname = value", NULL,
     "[foo]\nname=value\n", NULL},
    {"Equals signs are supported in property values.", "[profile foo]\nname = val=ue", NULL,
     "[foo]\nname=val=ue\n", NULL},
    {"Unicode characters are supported in property values.",
     "[profile foo]\nname = \303\260\305\270\313\234\342\200\232", NULL,
     "[foo]\nname=\303\260\305\270\313\234\342\200\232\n", NULL},
    {"Profiles can contain multiple properties.", "[profile foo]\nname = value\nname2 = value2", NULL,
     "[foo]\nname=value\nname2=value2\n", NULL},
    {"Profiles can contain multiple properties.", "[profile foo]\nname = value\nname2 = value2", NULL,
     "[foo]\nname=value\nname2=value2\n", NULL},
    {"Property keys and values are trimmed.", "[profile foo]\nname \t=  \tvalue \t", NULL,
     "[foo]\nname=value\n", NULL},
    {"Property values can be empty.", "[profile foo]\nname =", NULL, "[foo]\nname=\n", NULL},
    {"Property key cannot be empty.", "[profile foo]\n= value", NULL, NULL,
     "no key before '=' in a property"},
    {"Property definitions must contain an equals sign.", "[profile foo]\nkey : value", NULL, NULL,
     "no '=' in a property"},
    {"Multiple profiles can be empty.", "[profile foo]\n[profile bar]", NULL, "[bar]\n[foo]\n", NULL},
    {"Multiple profiles can have properties.", "[profile foo]\nname = value\n[profile bar]\nname2 = value2",
     NULL, "[bar]\nname2=value2\n[foo]\nname=value\n", NULL},
    {"Blank lines are ignored.", "\t \n[profile foo]\n\t\n \nname = value\n\t \n[profile bar]\n \t", NULL,
     "[bar]\n[foo]\nname=value\n", NULL},
    {"Pound sign comments are ignored.",
     "# Comment\n[profile foo] # Comment\nname = value # Comment with # sign", NULL, "[foo]\nname=value\n",
     NULL},
    {"Semicolon sign comments are ignored.",
     "; Comment\n[profile foo] ; Comment\nname = value ; Comment with ; sign", NULL, "[foo]\nname=value\n",
     NULL},
    {"All comment types can be used together.",
     "# Comment\n[profile foo] ; Comment\nname = value # Comment with ; sign", NULL, "[foo]\nname=value\n",
     NULL},
    {"Comments can be empty.", ";\n[profile foo];\nname = value ;\n", NULL, "[foo]\nname=value\n", NULL},
    {"Comments can be adjacent to profile names.",
     "[profile foo]; Adjacent semicolons\n[profile bar]# Adjacent pound signs", NULL, "[bar]\n[foo]\n", NULL},
    {"Comments adjacent to values are included in the value.",
     "[profile foo]\nname = value; Adjacent semicolons\nname2 = value# Adjacent pound signs", NULL,
     "[foo]\nname=value; Adjacent semicolons\nname2=value# Adjacent pound signs\n", NULL},
    {"Property values can be continued on the next line.", "[profile foo]\nname = value\n -continued", NULL,
     "[foo]\nname=value\n-continued\n", NULL},
    {"Property values can be continued with multiple lines.",
     "[profile foo]\nname = value\n -continued\n -and-continued", NULL,
     "[foo]\nname=value\n-continued\n-and-continued\n", NULL},
    {"Continuations are trimmed.", "[profile foo]\nname = value\n \t -continued \t ", NULL,
     "[foo]\nname=value\n-continued\n", NULL},
    {"Continuation values include pound comments.", "[profile foo]\nname = value\n -continued # Comment",
     NULL, "[foo]\nname=value\n-continued # Comment\n", NULL},
    {"Continuation values include semicolon comments.", "[profile foo]\nname = value\n -continued ; Comment",
     NULL, "[foo]\nname=value\n-continued ; Comment\n", NULL},
    {"Continuations cannot be used outside of a profile.", " -continued", NULL, NULL,
     "a continuation before the first section"},
    {"Continuations cannot be used outside of a property.", "[profile foo]\n -continued", NULL, NULL,
     "a continuation without a property"},
    {"Continuations reset with profile definitions.",
     "[profile foo]\nname = value\n[profile foo]\n -continued", NULL, NULL,
     "a continuation without a property"},
    {"Duplicate profiles in the same file merge properties.",
     "[profile foo]\nname = value\n[profile foo]\nname2 = value2", NULL, "[foo]\nname=value\nname2=value2\n",
     NULL},
    {"Duplicate properties in a profile use the last one defined.",
     "[profile foo]\nname = value\nname = value2", NULL, "[foo]\nname=value2\n", NULL},
    {"Duplicate properties in duplicate profiles use the last one defined.",
     "[profile foo]\nname = value\n[profile foo]\nname = value2", NULL, "[foo]\nname=value2\n", NULL},
    {"Duplicate properties in duplicate profiles use the last one defined (case insensitive).",
     "[profile foo]\nName = value\n[profile foo]\nname = value2", NULL, "[foo]\nname=value2\n", NULL},
    {"Default profile with profile prefix overrides default profile without prefix when profile prefix is "
     "first.",
     "[profile default]\nname = value\n[default]\nname2 = value2", NULL, "[default]\nname=value\n", NULL},
    {"Default profile with profile prefix overrides default profile without prefix when profile prefix is "
     "last.",
     "[default]\nname2 = value2\n[profile default]\nname = value", NULL, "[default]\nname=value\n", NULL},
    {"Invalid profile names are ignored.", "[profile in valid]\nname = value", "[in valid 2]\nname2 = value2",
     "", NULL},
    {"Invalid property names are ignored.", "[profile foo]\nin valid = value", NULL, "[foo]\n", NULL},
    {"All valid profile name characters are supported.",
     "[profile ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_]", NULL,
     "[ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_]\n", NULL},
    {"All valid property name characters are supported.",
     "[profile foo]\nABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ = value", NULL,
     "[foo]\nabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789-_=value\n", NULL},
    {"Properties can have sub-properties.", "[profile foo]\ns3 =\n name = value", NULL,
     "[foo]\ns3=\nname = value\n", NULL},
    {"Invalid sub-property definitions cause an error.", "[profile foo]\ns3 =\n invalid", NULL, NULL,
     "no '=' in a sub-property"},
    {"Sub-property definitions can have an empty value.", "[profile foo]\ns3 =\n name =", NULL,
     "[foo]\ns3=\nname =\n", NULL},
    {"Sub-property definitions cannot have an empty name.", "[profile foo]\ns3 =\n = value", NULL, NULL,
     "no key before '=' in a sub-property"},
    {"Sub-property definitions can have an invalid name.", "[profile foo]\ns3 =\n in valid = value", NULL,
     "[foo]\ns3=\nin valid = value\n", NULL},
    {"Sub-properties can have blank lines that are ignored",
     "[profile foo]\ns3 =\n name = value\n\t \n name2 = value2", NULL,
     "[foo]\ns3=\nname = value\nname2 = value2\n", NULL},
    {"Profiles duplicated in multiple files are merged.", "[profile foo]\nname = value",
     "[foo]\nname2 = value2", "[foo]\nname=value\nname2=value2\n", NULL},
    {"Default profiles with mixed prefixes in the config file ignore the one without prefix when merging.",
     "[profile default]\nname = value\n[default]\nname2 = value2\n[profile default]\nname3 = value3", NULL,
     "[default]\nname=value\nname3=value3\n", NULL},
    {"Default profiles with mixed prefixes merge with credentials",
     "[profile default]\nname = value\n[default]\nname2 = value2\n[profile default]\nname3 = value3",
     "[default]\nsecret=foo", "[default]\nname=value\nname3=value3\nsecret=foo\n", NULL},
    {"Duplicate properties between files uses credentials property.", "[profile foo]\nname = value",
     "[foo]\nname = value2", "[foo]\nname=value2\n", NULL},
    {"Config profiles without prefix are ignored.", "[foo]\nname = value", NULL, "", NULL},
    {"Credentials profiles with prefix are ignored.", NULL, "[profile foo]\nname = value", "", NULL},
    {"Comment characters adjacent to profile decls", "[profile foo]; semicolon\n[profile bar]# pound", NULL,
     "[bar]\n[foo]\n", NULL},
    {"Invalid continuation", "[profile foo]\nname = value\n[profile foo]\n -continued", NULL, NULL,
     "a continuation without a property"},
    {"sneaky profile name", "[profilefoo]\nname = value\n[profile bar]", NULL, "[bar]\n", NULL},
    {"profile name with extra whitespace", "[   profile foo    ]\nname = value\n[profile bar]", NULL,
     "[bar]\n[foo]\nname=value\n", NULL},
    {"profile name with extra whitespace in credentials", NULL, "[   foo    ]\nname = value\n[profile bar]",
     "[foo]\nname=value\n", NULL},
    {"properties from an invalid profile name are ignored",
     "[profile foo]\nname = value\n[profile in valid]\nx = 1\n[profile bar]\nname = value2", NULL,
     "[bar]\nname=value2\n[foo]\nname=value\n", NULL},
    {"sso-session with properties", "[sso-session foo]\nname = value\n[profile bar]", NULL,
     "[bar]\n[sso-session foo]\nname=value\n", NULL},
    {"sso-session without the space before the name is a profile", NULL,
     "[sso-sessionfoo]\nname = value\n[bar]", "[bar]\n[sso-sessionfoo]\nname=value\n", NULL},
    {"A typo'd sso-session will be ignored", "[sso-sesion foo]\nname = value\n[profile bar]", NULL, "[bar]\n",
     NULL},
};

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

static void aws_nul(void **state)
{
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(lex("[a]\nk = v\nl = \0\n", 17, INI_AWS, &out, &e), -1);
    assert_string_equal(e.msg, "NUL byte");
    assert_string_equal(e.what, "config:3");
}

int main(void)
{
    static const struct CMUnitTest strict[] = {
        cmocka_unit_test(strict_accepts),   cmocka_unit_test(strict_quotes),
        cmocka_unit_test(strict_refuses),   cmocka_unit_test(strict_bytes),
        cmocka_unit_test(strict_long_line), cmocka_unit_test(ranges),
        cmocka_unit_test(handler_stops),    cmocka_unit_test(aws_nul),
    };
    static struct CMUnitTest aws[ARRAY_LEN(aws_cases) + ARRAY_LEN(own_aws_cases)];

    for (size_t i = 0; i < ARRAY_LEN(aws); i++) {
        bool is_own = i >= ARRAY_LEN(aws_cases);
        const struct aws_case *c = is_own ? &own_aws_cases[i - ARRAY_LEN(aws_cases)] : &aws_cases[i];
        aws[i] = (struct CMUnitTest){
            .name = c->name, .test_func = aws_grammar, .initial_state = (void *)(uintptr_t)c};
    }
    return cmocka_run_group_tests_name("ini: ours", strict, NULL, NULL) +
           cmocka_run_group_tests_name("ini: aws", aws, NULL, NULL);
}
