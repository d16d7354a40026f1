/* SPDX-License-Identifier: MIT */
/* Requests to an ssh-agent, and parsing its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libssh2/agent.h>

struct seen {
    unsigned keys;
    char comments[64];
};

static void key(void *context, const unsigned char *blob, size_t n, const char *comment, size_t length)
{
    struct seen *s = context;

    (void)blob;
    assert_true(n > 0);
    s->keys++;
    strncat(s->comments, comment, length);
}

#define ANSWER(text) (const unsigned char *)(text), sizeof(text) - 1

static void list_request(void **state)
{
    AUTO_BUF(out, 64);

    (void)state;
    agent_put_list(&out);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.data, "\0\0\0\1\x0b", 5);
}

static void keys_are_parsed(void **state)
{
    struct seen s = {0};

    (void)state;
    assert_true(agent_parse_keys(ANSWER("\x0c\0\0\0\2"
                                        "\0\0\0\3abc\0\0\0\2me"
                                        "\0\0\0\1x\0\0\0\0"),
                                 key, &s));
    assert_int_equal(s.keys, 2);
    assert_string_equal(s.comments, "me");
}

static void invalid_lists_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } invalid[] = {
        {"", 0},
        {"\x0c", 1},
        {"\x05", 1},                                     /* failure */
        {"\x0c\0\0\0\1", 5},                             /* one key, but none follows */
        {"\x0c\0\0\0\1\0\0\0\4abc", 12},                 /* a blob past the end */
        {"\x0c\0\0\0\1\0\0\0\3abc", 12},                 /* no comment */
        {"\x0c\0\0\0\1\0\0\0\3abc\xff\xff\xff\xff", 16}, /* a length that would wrap */
        {"\x0c\xff\xff\xff\xff", 5},                     /* too many */
    };

    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        struct seen s = {0};
        assert_false(agent_parse_keys((const unsigned char *)invalid[i].bytes, invalid[i].n, key, &s));
    }
}

/* For RSA keys SHA-512 is requested (flag 4), for others nothing special. */
static void signature_requests(void **state)
{
    AUTO_BUF(rsa, 256);
    AUTO_BUF(other, 256);

    (void)state;
    agent_put_sign(&rsa, "\0\0\0\7ssh-rsa\0\0\0\1e", 16, "data", 4);
    assert_memory_equal(rsa.data, "\0\0\0\x21\x0d\0\0\0\x10", 9);
    assert_memory_equal(rsa.data + rsa.len - 12, "\0\0\0\4data\0\0\0\4", 12);
    agent_put_sign(&other, "\0\0\0\x0bssh-ed25519", 15, "data", 4);
    assert_memory_equal(other.data + other.len - 4, "\0\0\0\0", 4);
}

static void signature_is_extracted(void **state)
{
    const unsigned char *signature;
    size_t n;

    (void)state;
    assert_true(agent_parse_signature(ANSWER("\x0e\0\0\0\x0c\0\0\0\1a\0\0\0\3sig"), &signature, &n));
    assert_int_equal(n, 3);
    assert_memory_equal(signature, "sig", 3);
    assert_false(agent_parse_signature(ANSWER("\x05"), &signature, &n));
    assert_false(agent_parse_signature(ANSWER("\x0e\0\0\0\x0d\0\0\0\1a\0\0\0\3sig"), &signature, &n));
    /* The signature of a FIDO key has more data after it, which libssh2 could not send. */
    assert_false(
        agent_parse_signature(ANSWER("\x0e\0\0\0\x11\0\0\0\1a\0\0\0\3sig\1\0\0\0\2"), &signature, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_request),
        cmocka_unit_test(keys_are_parsed),
        cmocka_unit_test(invalid_lists_are_refused),
        cmocka_unit_test(signature_requests),
        cmocka_unit_test(signature_is_extracted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
