/* SPDX-License-Identifier: MIT */
/*
 * The endpoints of AWS services: the STS cases of botocore's endpoint tests (Apache-2.0, Amazon), and the
 * precedence of the URLs that the user configures.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <aws/endpoint.h>
#include <base/mem.h>

#include "aws_auto.h"

static const struct sts_case {
    const char *region;
    int fips, dual_stack;
    const char *configured, *url; /* url NULL: an error */
} sts_cases[] = {
    {"af-south-1", 0, 0, NULL, "https://sts.af-south-1.amazonaws.com"},
    {"ap-east-1", 0, 0, NULL, "https://sts.ap-east-1.amazonaws.com"},
    {"ap-northeast-1", 0, 0, NULL, "https://sts.ap-northeast-1.amazonaws.com"},
    {"ap-northeast-2", 0, 0, NULL, "https://sts.ap-northeast-2.amazonaws.com"},
    {"ap-northeast-3", 0, 0, NULL, "https://sts.ap-northeast-3.amazonaws.com"},
    {"ap-south-1", 0, 0, NULL, "https://sts.ap-south-1.amazonaws.com"},
    {"ap-southeast-1", 0, 0, NULL, "https://sts.ap-southeast-1.amazonaws.com"},
    {"ap-southeast-2", 0, 0, NULL, "https://sts.ap-southeast-2.amazonaws.com"},
    {"ap-southeast-3", 0, 0, NULL, "https://sts.ap-southeast-3.amazonaws.com"},
    {"aws-global", 0, 0, NULL, "https://sts.amazonaws.com"},
    {"ca-central-1", 0, 0, NULL, "https://sts.ca-central-1.amazonaws.com"},
    {"eu-central-1", 0, 0, NULL, "https://sts.eu-central-1.amazonaws.com"},
    {"eu-north-1", 0, 0, NULL, "https://sts.eu-north-1.amazonaws.com"},
    {"eu-south-1", 0, 0, NULL, "https://sts.eu-south-1.amazonaws.com"},
    {"eu-west-1", 0, 0, NULL, "https://sts.eu-west-1.amazonaws.com"},
    {"eu-west-2", 0, 0, NULL, "https://sts.eu-west-2.amazonaws.com"},
    {"eu-west-3", 0, 0, NULL, "https://sts.eu-west-3.amazonaws.com"},
    {"me-south-1", 0, 0, NULL, "https://sts.me-south-1.amazonaws.com"},
    {"sa-east-1", 0, 0, NULL, "https://sts.sa-east-1.amazonaws.com"},
    {"us-east-1", 0, 0, NULL, "https://sts.us-east-1.amazonaws.com"},
    {"us-east-1", 1, 0, NULL, "https://sts-fips.us-east-1.amazonaws.com"},
    {"us-east-2", 0, 0, NULL, "https://sts.us-east-2.amazonaws.com"},
    {"us-east-2", 1, 0, NULL, "https://sts-fips.us-east-2.amazonaws.com"},
    {"us-west-1", 0, 0, NULL, "https://sts.us-west-1.amazonaws.com"},
    {"us-west-1", 1, 0, NULL, "https://sts-fips.us-west-1.amazonaws.com"},
    {"us-west-2", 0, 0, NULL, "https://sts.us-west-2.amazonaws.com"},
    {"us-west-2", 1, 0, NULL, "https://sts-fips.us-west-2.amazonaws.com"},
    {"us-east-1", 1, 1, NULL, "https://sts-fips.us-east-1.api.aws"},
    {"us-east-1", 0, 1, NULL, "https://sts.us-east-1.api.aws"},
    {"cn-north-1", 0, 0, NULL, "https://sts.cn-north-1.amazonaws.com.cn"},
    {"cn-northwest-1", 0, 0, NULL, "https://sts.cn-northwest-1.amazonaws.com.cn"},
    {"cn-north-1", 1, 1, NULL, "https://sts-fips.cn-north-1.api.amazonwebservices.com.cn"},
    {"cn-north-1", 1, 0, NULL, "https://sts-fips.cn-north-1.amazonaws.com.cn"},
    {"cn-north-1", 0, 1, NULL, "https://sts.cn-north-1.api.amazonwebservices.com.cn"},
    {"us-gov-east-1", 0, 0, NULL, "https://sts.us-gov-east-1.amazonaws.com"},
    {"us-gov-east-1", 1, 0, NULL, "https://sts.us-gov-east-1.amazonaws.com"},
    {"us-gov-west-1", 0, 0, NULL, "https://sts.us-gov-west-1.amazonaws.com"},
    {"us-gov-west-1", 1, 0, NULL, "https://sts.us-gov-west-1.amazonaws.com"},
    {"us-gov-east-1", 1, 1, NULL, "https://sts-fips.us-gov-east-1.api.aws"},
    {"us-gov-east-1", 0, 1, NULL, "https://sts.us-gov-east-1.api.aws"},
    {"us-iso-east-1", 0, 0, NULL, "https://sts.us-iso-east-1.c2s.ic.gov"},
    {"us-iso-west-1", 0, 0, NULL, "https://sts.us-iso-west-1.c2s.ic.gov"},
    {"us-iso-east-1", 1, 0, NULL, "https://sts-fips.us-iso-east-1.c2s.ic.gov"},
    {"us-isob-east-1", 0, 0, NULL, "https://sts.us-isob-east-1.sc2s.sgov.gov"},
    {"us-isob-east-1", 1, 0, NULL, "https://sts-fips.us-isob-east-1.sc2s.sgov.gov"},
    {"us-east-1", 0, 0, "https://example.com", "https://example.com"},
    {"us-east-1", 1, 0, "https://example.com", NULL},
    {"us-east-1", 0, 1, "https://example.com", NULL},
};

static void sts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sts_cases); i++) {
        const struct sts_case *c = &sts_cases[i];
        const struct aws_env env = {.use_fips = c->fips ? "true" : NULL,
                                    .use_dual_stack = c->dual_stack ? "TRUE" : NULL,
                                    .endpoint_url = c->configured};
        struct aws_endpoint found;
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        int result = aws_endpoint_find(&env, &files, "default", AWS_STS, c->region, &found, &e);
        assert_int_equal(result, c->url ? 0 : -1);
        if (!c->url) {
            assert_int_equal(e.code, ERR_CONFIG);
            continue;
        }
        assert_string_equal(found.url, c->url);
        assert_string_equal(found.service, "sts");
        assert_string_equal(found.region, strcmp(c->region, "aws-global") == 0 ? "us-east-1" : c->region);
    }
}

#define FILE_WITH_ALL                                                                                        \
    "[default]\nservices = local\nendpoint_url = https://profile\n[profile bare]\n"                          \
    "[profile only]\nendpoint_url = https://profile/\n[profile off]\nignore_configured_endpoint_urls = "     \
    "True\n"                                                                                                 \
    "endpoint_url = https://profile\n[profile fips]\nuse_fips_endpoint = true\n"                             \
    "[services local]\nsts =\n  other = 1\n  endpoint_url = https://section\nsso_oidc =\n "                  \
    "endpoint_url=http://oidc:1\n"

static const struct precedence_case {
    const char *profile;
    enum aws_service service;
    struct aws_env env;
    const char *region, *text; /* the URL, or the error */
} precedence_cases[] = {
    {"default",
     AWS_STS,
     {.endpoint_url_sts = "https://own", .endpoint_url = "https://all"},
     "eu-west-1",
     "https://own"},
    {"default",
     AWS_SSO,
     {.endpoint_url_sts = "https://own", .endpoint_url = "https://all"},
     "eu-west-1",
     "https://all"},
    {"default", AWS_STS, {0}, "eu-west-1", "https://section"},
    {"default", AWS_SSO_OIDC, {0}, "eu-west-1", "http://oidc:1"},
    {"default", AWS_SSO, {0}, "eu-west-1", "https://profile"},
    {"only", AWS_STS, {0}, "eu-west-1", "https://profile"},
    {"off", AWS_STS, {0}, "eu-west-1", "https://sts.eu-west-1.amazonaws.com"},
    {"default",
     AWS_STS,
     {.ignore_endpoint_urls = "true"},
     "eu-west-1",
     "https://sts.eu-west-1.amazonaws.com"},
    {"bare", AWS_SSO, {0}, "cn-north-1", "https://portal.sso.cn-north-1.amazonaws.com.cn"},
    {"bare", AWS_SSO_OIDC, {0}, "eu-west-1", "https://oidc.eu-west-1.amazonaws.com"},
    {"fips", AWS_SSO_OIDC, {0}, "us-east-1", "https://oidc-fips.us-east-1.amazonaws.com"},
    {"fips", AWS_STS, {.use_fips = "false"}, "us-east-1", "https://sts.us-east-1.amazonaws.com"},
    {"bare", AWS_SIGNIN, {0}, "eu-west-1", "https://eu-west-1.signin.aws.amazon.com"},
    {"bare", AWS_SIGNIN, {0}, "us-gov-west-1", "https://us-gov-west-1.signin.amazonaws-us-gov.com"},
    {"bare", AWS_SIGNIN, {0}, "cn-north-1", "https://cn-north-1.signin.amazonaws.cn"},
    {"bare", AWS_SIGNIN, {0}, "eusc-de-east-1", "https://signin.eusc-de-east-1.amazonaws.eu"},
    {"bare", AWS_SIGNIN, {0}, "us-iso-east-1", "https://signin.us-iso-east-1.c2s.ic.gov"},
    {"fips", AWS_SIGNIN, {0}, "us-east-1", "https://signin-fips.us-east-1.amazonaws.com"},
    {"fips", AWS_SIGNIN, {0}, "us-gov-west-1", "https://signin-fips.us-gov-west-1.amazonaws.com"},
    {"bare", AWS_SIGNIN, {.use_dual_stack = "true"}, "us-east-1", "https://signin.us-east-1.api.aws"},
    {"fips",
     AWS_SIGNIN,
     {.use_dual_stack = "true"},
     "cn-north-1",
     "https://signin-fips.cn-north-1.api.amazonwebservices.com.cn"},
    {"bare",
     AWS_STS,
     {.endpoint_url = "https://a b"},
     "eu-west-1",
     "the AWS endpoint 'https://a b' is not an http or https URL"},
    {"bare", AWS_STS, {0}, NULL, "no AWS region"},
    {"bare", AWS_STS, {0}, "evil.example/", "'evil.example/' is not an AWS region"},
    {"bare",
     AWS_STS,
     {.endpoint_url = "sts.example"},
     "eu-west-1",
     "the AWS endpoint 'sts.example' is not an http or https URL"},
    {"fips", AWS_STS, {.endpoint_url = "https://own"}, "eu-west-1", "FIPS and an endpoint URL are both set"},
};

static void precedence(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(precedence_cases); i++) {
        const struct precedence_case *c = &precedence_cases[i];
        struct aws_endpoint found;
        struct err e = ERR_INIT;
        AUTO_AWS_FILES(files);
        assert_int_equal(aws_files_parse(FILE_WITH_ALL, strlen(FILE_WITH_ALL), NULL, 0, &files, &e), 0);
        int result = aws_endpoint_find(&c->env, &files, c->profile, c->service, c->region, &found, &e);
        assert_string_equal(result == 0 ? found.url : e.msg, c->text);
    }
}

static void refuses_long_url(void **state)
{
    char url[2000] = "https://";
    struct aws_env env = {.endpoint_url = url};
    struct aws_endpoint found;
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);

    (void)state;
    memset(url + 8, 'a', sizeof url - 9);
    assert_int_equal(aws_endpoint_find(&env, &files, "default", AWS_STS, "eu-west-1", &found, &e), -1);
    assert_string_equal(e.msg, "the AWS endpoint has over 511 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sts), cmocka_unit_test(precedence),
                                       cmocka_unit_test(refuses_long_url)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
