/* SPDX-License-Identifier: MIT */
/* Parsing the answer of `broker credential get`: complete and incomplete ones, and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <keeper/credential_answer.h>

/* A status as from waitpid(2). */
#define EXITED(n) ((n) << 8)

static int take(const char *text, int status, const char *stderr_tail, struct credential_answer *out,
                struct err *e)
{
    AUTO_SECRET(secret);

    secret = secret_from(text, strlen(text));
    return credential_answer_take(secret, status, stderr_tail, out, e);
}

static void test_complete(void **state)
{
    struct credential_answer a = {0};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(take("capability[]=state\nusername=v-x\npassword=a=b c\npassword_expiry_utc=1795256820\n"
                          "broker.made=1795256000\nunknown=1\n\n",
                          EXITED(0), "", &a, &e),
                     0);
    assert_string_equal(a.user, "v-x");
    assert_string_equal(secret_bytes(a.password), "a=b c");
    assert_int_equal(a.expires, 1795256820);
    assert_int_equal(a.made, 1795256000);
    credential_answer_release(&a);
}

static void test_minimal(void **state)
{
    struct credential_answer a = {0};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(take("password=\n", EXITED(0), "broker: warning: x\n", &a, &e), 0);
    assert_null(a.user);
    assert_int_equal(secret_len(a.password), 0);
    assert_int_equal(a.expires, 0);
    credential_answer_release(&a);
    /* Not a number: it never expires. */
    assert_int_equal(take("password=x\npassword_expiry_utc=soon\n", EXITED(0), "", &a, &e), 0);
    assert_int_equal(a.expires, 0);
    credential_answer_release(&a);
}

static void test_incomplete(void **state)
{
    static const char *const texts[] = {"",     "\n",        "username=app\n", "password=cut", "Password=x\n",
                                        "=x\n", "password\n"};
    struct credential_answer a = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err e = ERR_INIT;
        assert_int_equal(take(texts[i], EXITED(0), "", &a, &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        credential_answer_release(&a);
    }
}

static void test_errors(void **state)
{
    static const struct {
        int status;
        const char *stderr_tail;
        enum err_code code;
        const char *msg, *detail, *hint;
    } cases[] = {
        {EXITED(79), "broker: prod: SSO session 'corp' expired 2h ago\nhint: broker login prod\n", ERR_LOGIN,
         "prod: SSO session 'corp' expired 2h ago", "", "broker login prod"},
        {EXITED(78), "broker: warning: x\nhint: y\nbroker: p: no file\n  ~/a\n  ~/b\n", ERR_CONFIG,
         "p: no file", "~/a\n~/b\n", ""},
        {EXITED(1), "", ERR_BUG, "broker credential get failed without a message", "", ""},
        {9, "broker: half", ERR_BUG, "half", "", ""},
        {EXITED(255), "\n\n", ERR_BUG, "broker credential get failed without a message", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct credential_answer a = {0};
        struct err e = ERR_INIT;
        assert_int_equal(take("password=x\n", cases[i].status, cases[i].stderr_tail, &a, &e), -1);
        assert_int_equal(e.code, cases[i].code);
        assert_string_equal(e.msg, cases[i].msg);
        assert_string_equal(e.detail, cases[i].detail);
        assert_string_equal(e.hint, cases[i].hint);
        assert_null(a.password);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_minimal),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
