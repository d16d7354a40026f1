/* SPDX-License-Identifier: MIT */
/*
 * The AWS CLI's cache files: the texts whose SHA-1 is the name of an SSO file (botocore's own tests have the
 * digests of two of them), and parsing of a file's content. tests/cli/test_aws_cache_names.py tests that
 * files with these names are found.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <aws/cache_file.h>
#include <aws/sso_names.h>
#include <base/mem.h>

#define START "https://d-92671207e4.awsapps.com/start"

struct name_case {
    bool (*name)(const struct aws_step *step, struct buf *out);
    struct aws_step step;
    const char *text;
};

static const struct name_case names[] = {
    {sso_role_name,
     {.sso_account = "1234567890", .sso_role = "test-role", .start_url = START},
     "{\"accountId\":\"1234567890\",\"roleName\":\"test-role\",\"startUrl\":\"" START "\"}"},
    {sso_role_name,
     {.sso_account = "123456789012", .sso_role = "DbReader", .start_url = START, .session = "corp"},
     "{\"accountId\":\"123456789012\",\"roleName\":\"DbReader\",\"sessionName\":\"corp\"}"},
    /* Escaped as in Python: all but printable ASCII, in lower-case hex digits and surrogate pairs. */
    {sso_role_name,
     {.sso_account = "1", .sso_role = "b\xc3\xbcro \"\\/ \x7f\t\x01 \xf0\x9f\x98\x80", .session = "s"},
     "{\"accountId\":\"1\",\"roleName\":\"b\\u00fcro \\\"\\\\/ \\u007f\\t\\u0001 "
     "\\ud83d\\ude00\",\"sessionName\":"
     "\"s\"}"},
    {sso_role_name, {.sso_account = "1", .sso_role = "\xff", .session = "s"}, NULL},
    {sso_registration_name,
     {.sso_region = "eu-west-1", .start_url = START},
     "{\"region\": \"eu-west-1\", \"scopes\": null, \"session_name\": null, \"startUrl\": \"" START
     "\", \"tool\": \"botocore\"}"},
    {sso_registration_name,
     {.sso_region = "eu-west-1", .start_url = START, .session = "corp", .scopes = " sso:account:access ,,b"},
     "{\"region\": \"eu-west-1\", \"scopes\": [\"sso:account:access\", \"b\"], \"session_name\": \"corp\", "
     "\"startUrl\": \"" START "\", \"tool\": \"botocore\"}"},
};

static void texts_of_file_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_BUF(text, 4096);
        bool named = names[i].name(&names[i].step, &text);
        assert_int_equal(named, names[i].text != NULL);
        if (named)
            assert_string_equal(buf_str(&text), names[i].text);
    }
}

static void name_for_token_file(void **state)
{
    (void)state;
    assert_string_equal(sso_name(&(struct aws_step){.session = "admin", .start_url = START}), "admin");
    assert_string_equal(sso_name(&(struct aws_step){.start_url = START}), START);
}

static const struct {
    const char *text;
    long long time; /* -1: invalid */
} times[] = {
    {"\"2026-03-01T12:00:00Z\"", 1772366400},
    {"\"2026-03-01T12:00:00UTC\"", 1772366400},
    {"\"2026-03-01T12:00:00+00:00\"", 1772366400},
    {"\"2026-03-01T13:00:00.5+01:00\"", 1772366400},
    {"\"\"", -1},
    {"\"UTC\"", -1},
    {"\"tomorrow\"", -1},
    {"1772366400", -1},
    {"null", -1},
};

static void time_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        AUTO_JSON(root);
        AUTO_FREE(char *, text);
        time_t found = -1;
        text = mem_printf("{\"at\":%s}", times[i].text);
        root = cache_file_parse(text, strlen(text));
        assert_non_null(root);
        assert_int_equal(cache_file_time(root, "at", &found), times[i].time >= 0);
        assert_int_equal(found, times[i].time);
    }
}

/* Contents that count as a missing file. */
static void rejects_non_objects(void **state)
{
    static const char *const texts[] = {"",      "{",    "{\"a\":", "[]",
                                        "\"a\"", "null", "{} x",    "{\"a\":\"\xff\"}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_null(cache_file_parse(texts[i], strlen(texts[i])));
}

static void keys_need_15_minutes(void **state)
{
    static const struct {
        int seconds;
        bool good;
    } lives[] = {{3600, true}, {905, true}, {895, false}, {-1, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        AUTO_JSON(root);
        AUTO_AWS_KEYS(keys);
        json_t *inside = json_pack("{s:s,s:s,s:s,s:s}", "AccessKeyId", "A", "SecretAccessKey", "S",
                                   "SessionToken", "T", "AccountId", "1");
        root = json_object();
        cache_file_put_time(inside, "Expiration", time(NULL) + lives[i].seconds);
        (void)json_object_set_new(root, "Credentials", inside);
        assert_int_equal(cache_file_keys(root, &keys), lives[i].good);
        if (lives[i].good)
            assert_string_equal(keys.account, "1");
        (void)json_object_del(inside, "SessionToken");
        assert_false(cache_file_keys(root, &(struct aws_keys){0}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_file_names),  cmocka_unit_test(name_for_token_file),
        cmocka_unit_test(time_formats),         cmocka_unit_test(rejects_non_objects),
        cmocka_unit_test(keys_need_15_minutes),
    };

    json_use_wiping_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
