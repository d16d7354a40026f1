/* SPDX-License-Identifier: MIT */
/* The region in which a service is called: the user's setting comes first, and a region of another partition
 * is ignored. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <aws/region.h>
#include <base/mem.h>
#include <base/text.h>

#include "aws_auto.h"

#define GOV "arn:aws-us-gov:iam::123456789012:role/r"
#define CHINA "arn:aws-cn:iam::123456789012:role/r"
#define AWS "arn:aws:iam::123456789012:role/r"

static void region_for_arn(void **state)
{
    static const struct {
        const char *wanted, *env, *default_env, *profile, *database; /* "-": not set */
        const char *arn, *region;
    } cases[] = {
        {"eu-west-1", "us-east-1", "us-east-2", "us-west-1", "eu-west-1", AWS, "eu-west-1"},
        {"-", "us-east-1", "us-east-2", "us-west-1", "eu-west-1", AWS, "us-east-1"},
        {"-", "-", "us-east-2", "us-west-1", "eu-west-1", AWS, "us-east-2"},
        {"-", "-", "-", "us-west-1", "eu-west-1", AWS, "us-west-1"},
        {"-", "-", "-", "-", "eu-west-1", AWS, "eu-west-1"},
        {"-", "-", "-", "-", "eu-west-1", NULL, "eu-west-1"},

        {"-", "us-east-1", "-", "us-gov-east-1", "us-gov-west-1", GOV, "us-gov-east-1"},
        {"-", "us-east-1", "-", "-", "us-gov-west-1", GOV, "us-gov-west-1"},
        {"-", "us-east-1", "-", "-", "us-gov-west-1", NULL, "us-gov-west-1"},
        {"-", "us-east-1", "-", "-", "-", GOV, "us-gov-west-1"},
        {"-", "us-east-1", "-", "-", "cn-north-1", CHINA, "cn-north-1"},
        {"-", "us-east-1", "-", "-", "-", CHINA, "cn-northwest-1"},
        {"-", "cn-north-1", "-", "-", "eu-west-1", AWS, "eu-west-1"},
        {"-", "us-gov-west-1", "-", "-", "eu-west-1", "role-without-arn", "eu-west-1"},
        {"-", "-", "-", "-", "-", AWS, "us-east-1"},
        {"-", "-", "-", "-", "-", "arn:aws-mars:iam::1:role/r", NULL},
        {"-", "us-east-1", "-", "-", "-", "arn:aws-mars:iam::1:role/r", "us-east-1"},
        {"-", "aws-global", "-", "-", "eu-west-1", AWS, "aws-global"},
        {"-", "local", "-", "-", "-", AWS, "local"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const of[] = {cases[i].wanted, cases[i].env, cases[i].default_env, cases[i].profile,
                                  cases[i].database};
        struct aws_regions r = {0};
        struct err e = ERR_INIT;
        const char *region = NULL;
        for (size_t j = 0; j < ARRAY_LEN(of); j++)
            r.of[j] = *of[j] == '-' ? NULL : of[j];
        assert_int_equal(aws_region_for(&r, cases[i].arn, &region, &e), 0);
        if (!text_equal(region, cases[i].region))
            fail_msg("%zu: %s", i, region);
    }
}

static void refuses_database_in_other_partition(void **state)
{
    const struct aws_regions r = {.of = {[AWS_REGION_DATABASE] = "eu-west-1"}};
    struct err e = ERR_INIT;
    const char *region;

    (void)state;
    assert_int_equal(aws_region_for(&r, GOV, &region, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg, GOV " is of partition aws-us-gov, and the database's region eu-west-1 of aws");
    assert_true(e.hint[0]);
}

/* The region of the token if the server's name does not contain one. */
static void first_region(void **state)
{
    const struct aws_regions r = {
        .of = {[AWS_REGION_ENV] = "us-east-1", [AWS_REGION_PROFILE] = "cn-north-1"}};

    (void)state;
    assert_string_equal(aws_region_first(&r, NULL), "us-east-1");
    assert_string_equal(aws_region_first(&r, AWS), "us-east-1");
    assert_string_equal(aws_region_first(&r, CHINA), "cn-north-1");
    assert_null(aws_region_first(&r, GOV));
}

static void load_checks_regions(void **state)
{
    static const struct {
        const char *config;
        struct aws_env env;
        const char *what, *msg; /* NULL: no error */
    } cases[] = {
        {"[default]\nregion = eu-west-1\n",
         {.region = "us-east-1", .default_region = "us-east-2"},
         NULL,
         NULL},
        {"[default]\nregion =\n", {0}, NULL, NULL},
        {"[default]\nregion = eu west\n", {0}, "config:2", "region contains a space"},
        {"[default]\nregion = eu/west\n", {0}, "config:2", "'eu/west' is not an AWS region"},
        {"[default]\n", {.region = "eu-west-1 "}, "", "AWS_REGION: 'eu-west-1 ' is not an AWS region"},
        {"[default]\n", {.default_region = "a.b"}, "", "AWS_DEFAULT_REGION: 'a.b' is not an AWS region"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_AWS_FILES(files);
        struct err e = ERR_INIT;
        struct aws_regions r = {0};
        assert_int_equal(aws_files_parse(cases[i].config, strlen(cases[i].config), NULL, 0, &files, &e), 0);
        assert_int_equal(aws_regions_load(&cases[i].env, &files, "default", &r, &e), cases[i].msg ? -1 : 0);
        assert_string_equal(e.msg, cases[i].msg ? cases[i].msg : "");
        assert_string_equal(e.what, cases[i].what ? cases[i].what : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(region_for_arn),
        cmocka_unit_test(refuses_database_in_other_partition),
        cmocka_unit_test(first_region),
        cmocka_unit_test(load_checks_regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
