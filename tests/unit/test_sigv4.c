/* SPDX-License-Identifier: MIT */
/*
 * Signature Version 4: the cases of AWS's own test suite, in headers and as a query; its dates; its limits.
 * tests/cli/test_token_iam.py compares whole tokens with botocore's for random inputs.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <sodium.h>

#include <aws/sigv4.h>
#include <base/mem.h>

#include "sigv4_cases.h"

#define ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOON 1440938160 /* 20150830T123600Z */

static struct aws_keys keys_with(const char *token)
{
    return (struct aws_keys){.id = mem_strdup(ID),
                             .secret = secret_from(SECRET, strlen(SECRET)),
                             .token = token ? secret_from(token, strlen(token)) : NULL};
}

static size_t count_fields(const struct sigv4_field *f, size_t most)
{
    size_t n = 0;

    while (n < most && f[n].name)
        n++;
    return n;
}

static struct sigv4_request request_of(const struct sigv4_case *c)
{
    return (struct sigv4_request){.method = c->method,
                                  .path = c->path,
                                  .query = c->query,
                                  .query_count = count_fields(c->query, ARRAY_LEN(c->query)),
                                  .header = c->header,
                                  .header_count = count_fields(c->header, ARRAY_LEN(c->header)),
                                  .body = c->body,
                                  .body_len = c->body ? strlen(c->body) : 0,
                                  .region = "us-east-1",
                                  .service = "service",
                                  .now = NOON};
}

static void assert_ends_with(const char *name, const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    if (n < m || strcmp(text + n - m, end) != 0)
        fail_msg("%s: %s\ndoes not end with %s", name, text, end);
}

static void signs_in_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sigv4_cases); i++) {
        const struct sigv4_case *c = &sigv4_cases[i];
        struct sigv4_request r = request_of(c);
        struct sigv4_field header[ARRAY_LEN(c->header) + 1];
        struct err e = ERR_INIT;
        unsigned char digest[crypto_hash_sha256_BYTES];
        char hex[2 * sizeof digest + 1];
        AUTO_AWS_KEYS(keys);
        AUTO_BUF(out, 8192);
        keys = keys_with(c->token);
        memcpy(header, c->header, sizeof c->header);
        r.header = header;
        if (c->body) {
            crypto_hash_sha256(digest, (const unsigned char *)c->body, r.body_len);
            sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
            header[r.header_count++] = (struct sigv4_field){"X-Amz-Content-Sha256", hex};
        }
        assert_int_equal(sigv4_authorization(&r, &keys, &out, &e), 0);
        assert_ends_with(c->name, buf_str(&out), c->by_header);
        assert_memory_equal(buf_str(&out), "AWS4-HMAC-SHA256 Credential=" ID "/20150830/us-east-1/service/",
                            56);
    }
}

static void presigns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sigv4_cases); i++) {
        const struct sigv4_case *c = &sigv4_cases[i];
        struct sigv4_request r = request_of(c);
        struct err e = ERR_INIT;
        AUTO_AWS_KEYS(keys);
        AUTO_BUF(out, 8192);
        keys = keys_with(c->token);
        assert_int_equal(sigv4_presign(&r, &keys, 3600, &out, &e), 0);
        assert_ends_with(c->name, buf_str(&out), c->by_query);
        assert_true(!!strstr(buf_str(&out), "X-Amz-Security-Token=") == !!c->token);
    }
}

/* The whole texts are compared, so that a failure shows which part has changed. */
static void canonical_request_and_text(void **state)
{
    static const struct sigv4_field query[] = {
        {"b", "2 +"}, {"a=", ""}, {"a", "\xc3\xbc"}, {"a", "z"}, {"A", "~"}};
    static const struct sigv4_field header[] = {
        {"X-B", "  two   words\t"}, {"Host", "example.com"}, {"x-b", "three"}, {"X-A", ""}};
    const struct sigv4_request r = {"PUT",  "/a b/%20", query,       5,     header, 4,
                                    "body", 4,          "eu-west-1", "sts", NOON};
    AUTO_BUF(canonical, 4096);
    AUTO_BUF(text, 4096);

    (void)state;
    sigv4_canonical_request(&r, &canonical);
    assert_string_equal(buf_str(&canonical),
                        "PUT\n/a%20b/%2520\nA=~&a=%C3%BC&a=z&a%3D=&b=2%20%2B\nhost:example.com\nx-a:\n"
                        "x-b:two words,three\n\nhost;x-a;x-b\n"
                        "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5");
    sigv4_string_to_sign(&r, "", &text);
    assert_string_equal(buf_str(&text),
                        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/eu-west-1/sts/aws4_request\n"
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void dates_are_those_of_strftime(void **state)
{
    char ours[17], theirs[64];

    (void)state;
    for (long long t = 0; t < 253402300800; t += 86400LL * 31 - 7919) {
        time_t now = (time_t)t;
        struct tm tm;
        assert_non_null(gmtime_r(&now, &tm));
        assert_true(strftime(theirs, sizeof theirs, "%Y%m%dT%H%M%SZ", &tm) == 16);
        sigv4_date(now, ours);
        assert_string_equal(ours, theirs);
    }
    sigv4_date(951782399, ours);
    assert_string_equal(ours, "20000228T235959Z");
    sigv4_date(951868799, ours);
    assert_string_equal(ours, "20000229T235959Z");
    sigv4_date(-1, ours);
    assert_string_equal(ours, "19700101T000000Z");
}

static void too_much_is_refused(void **state)
{
    struct sigv4_field many[SIGV4_FIELDS_MOST];
    AUTO_AWS_KEYS(keys);
    AUTO_AWS_KEYS(long_id);
    AUTO_BUF(out, 8192);
    AUTO_BUF(little, 64);
    char id[5000];
    struct err e = ERR_INIT;

    (void)state;
    keys = keys_with(NULL);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct sigv4_field){"n", "v"};
    struct sigv4_request r = {"GET", "/", many, ARRAY_LEN(many), many, 1, NULL, 0, "r", "s", NOON};
    assert_int_equal(sigv4_presign(&r, &keys, 900, &out, &e), -1);
    assert_int_equal(e.code, ERR_BUG);
    r.query_count = 1;
    assert_int_equal(sigv4_presign(&r, &keys, 900, &little, &e), -1);
    assert_int_equal(e.code, ERR_DATA);
    long_id = keys_with(NULL);
    memset(id, 'a', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    free(long_id.id);
    long_id.id = mem_strdup(id);
    assert_int_equal(sigv4_presign(&r, &long_id, 900, &out, &e), -1);
    assert_string_equal(e.msg, "the access key ID is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_in_headers),           cmocka_unit_test(presigns),
        cmocka_unit_test(canonical_request_and_text), cmocka_unit_test(dates_are_those_of_strftime),
        cmocka_unit_test(too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
