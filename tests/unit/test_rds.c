/* SPDX-License-Identifier: MIT */
/* RDS tokens with known results, and what broker recognises by a server's host name. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <aws/partition.h>
#include <aws/rds_token.h>
#include <base/mem.h>
#include <base/text.h>

#include "rds_cases.h"

static void tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(token_cases); i++) {
        const struct token_case *c = &token_cases[i];
        const struct rds_token t = {c->host, c->port, c->user, c->region, (time_t)c->now};
        struct err e = ERR_INIT;
        AUTO_AWS_KEYS(keys);
        AUTO_SECRET(token);
        keys.id = mem_strdup(c->id);
        keys.secret = secret_from(c->secret, strlen(c->secret));
        keys.token = c->session ? secret_from(c->session, strlen(c->session)) : NULL;
        assert_int_equal(rds_token_make(&t, &keys, &token, &e), 0);
        if (strcmp(secret_bytes(token), c->token) != 0)
            fail_msg("%s: %s", c->name, secret_bytes(token));
    }
}

/* A session token may have any length with which the result fits into a secret. A longer one is an error; no
 * truncated token is returned. */
static void long_session_tokens(void **state)
{
    static const size_t lengths[] = {2500, 15956, 30000, 60000};
    static char text[60001];

    (void)state;
    memset(text, '/', sizeof text - 1);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        const struct rds_token t = {"db.abc.eu-west-1.rds.amazonaws.com", 3306, "app", "eu-west-1", 0};
        struct err e = ERR_INIT;
        AUTO_AWS_KEYS(keys);
        AUTO_SECRET(token);
        keys.id = mem_strdup("id");
        keys.secret = secret_from("s", 1);
        keys.token = secret_from(text, lengths[i]);
        int made = rds_token_make(&t, &keys, &token, &e);
        assert_int_equal(made, 3 * lengths[i] < SECRET_MAX - 600 ? 0 : -1);
        if (made == 0)
            assert_true(secret_len(token) > 3 * lengths[i]);
        else
            assert_int_equal(e.code, ERR_DATA);
    }
}

static void host_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(host_cases); i++) {
        const struct host_case *c = &host_cases[i];
        struct rds_host found = rds_host_parse(c->host);
        if (found.kind != c->kind || strcmp(found.region, c->region) != 0)
            fail_msg("%s: kind %d, region '%s'", c->host, (int)found.kind, found.region);
        bool own_ca = c->kind != RDS_OTHER && c->kind != RDS_PROXY && c->kind != RDS_PROXY_ENDPOINT &&
                      c->kind != RDS_DSQL;
        assert_int_equal(rds_host_uses_rds_ca(c->host), own_ca);
    }
}

/* Parsing must not crash for any suffix of a valid name, nor with any byte of it replaced by any other. */
static void malformed_names(void **state)
{
    static const char name[] = "x.endpoint.proxy-abc.rds.cn-north-1.amazonaws.com.cn";
    char copy[sizeof name];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof name; i++) {
        for (int c = 0; c < 256; c++) {
            memcpy(copy, name, sizeof name);
            copy[i] = (char)c;
            (void)rds_host_parse(copy);
        }
        (void)rds_host_parse(name + i);
    }
}

static void regions(void **state)
{
    static const struct {
        const char *region, *partition;
        bool known, valid;
    } cases[] = {
        {"us-east-1", "aws", true, true},
        {"mx-central-1", "aws", true, true},
        {"ap-northeast-12", "aws", true, true},
        {"cn-northwest-1", "aws-cn", true, true},
        {"us-gov-west-1", "aws-us-gov", true, true},
        {"us-iso-east-1", "aws-iso", true, true},
        {"us-isob-east-1", "aws-iso-b", true, true},
        {"eu-isoe-west-1", "aws-iso-e", true, true},
        {"us-isof-south-1", "aws-iso-f", true, true},
        {"eusc-de-east-1", "aws-eusc", true, true},
        {"mars-north-1", "aws", false, true},
        {"us-east", "aws", false, true},
        {"us-east-", "aws", false, false},
        {"US-EAST-1", "aws", false, true},
        {"us-east-1x", "aws", false, true},
        {"", "aws", false, false},
        {"123456789012", "aws", false, false},
        {"us east", "aws", false, false},
        {"us.east", "aws", false, false},
        {"-us-east-1", "aws", false, false},
        {"us/east", "aws", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (strcmp(aws_partition_of(cases[i].region)->name, cases[i].partition) != 0 ||
            aws_region_is_known(cases[i].region) != cases[i].known ||
            aws_region_is_valid(cases[i].region) != cases[i].valid)
            fail_msg("%s", cases[i].region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),     cmocka_unit_test(long_session_tokens),
        cmocka_unit_test(host_names), cmocka_unit_test(malformed_names),
        cmocka_unit_test(regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
