/* SPDX-License-Identifier: MIT */
/* When a tunnel that is down may be started again: restart.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>
#include <tunnel/restart.h>

static void the_pause_is_doubled_up_to_a_bound(void **state)
{
    static const int64_t pauses[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct restart r = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        restart_pause(&r);
        assert_int_equal(r.pause, pauses[i]);
    }
}

static void during_a_pause_the_error_has_the_reason_and_the_time(void **state)
{
    struct restart r = {.from = clock_ms(), .pause = RESTART_MOST_MS * 100};
    struct err e = ERR_INIT;

    (void)state;
    (void)err_set_numbered(&r.why, ERR_UNREACHABLE, 2003, "db:3306: connection refused");
    assert_true(restart_waits(&r, NULL));
    assert_true(restart_waits(&r, &e));
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_int_equal(e.number, 2003);
    assert_string_equal(e.msg, "2003 db:3306: connection refused");
    assert_true(text_starts(e.hint, "a connection after ") && text_ends(e.hint, " starts it again"));
}

static void no_wait_before_the_first_start_or_after_the_pause(void **state)
{
    struct restart never = {0}, over = {.from = clock_ms() - 501, .pause = 500};
    struct err e = ERR_INIT;

    (void)state;
    assert_false(restart_waits(&never, &e));
    assert_false(restart_waits(&over, &e));
    assert_int_equal(e.code, ERR_NONE);
}

static void no_pause_if_it_was_up_for_long(void **state)
{
    struct restart lasted = {.from = clock_ms() - RESTART_MOST_MS - 1, .pause = 8000};
    struct restart brief = {.from = clock_ms() + RESTART_MOST_MS, .pause = 8000};
    struct err e = ERR_INIT;

    (void)state;
    (void)err_set(&e, ERR_UNREACHABLE, "kubectl ended with exit status 1");
    restart_lost(&lasted, &e);
    restart_lost(&brief, &e);
    assert_int_equal(lasted.pause, 0);
    assert_int_equal(brief.pause, 8000);
    assert_string_equal(lasted.why.msg, e.msg);
    restart_pause(&lasted);
    assert_int_equal(lasted.pause, RESTART_LEAST_MS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pause_is_doubled_up_to_a_bound),
        cmocka_unit_test(during_a_pause_the_error_has_the_reason_and_the_time),
        cmocka_unit_test(no_wait_before_the_first_start_or_after_the_pause),
        cmocka_unit_test(no_pause_if_it_was_up_for_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
