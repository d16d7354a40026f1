/* SPDX-License-Identifier: MIT */
/* Deadlines, durations for display, and parsing and formatting of RFC 3339 timestamps. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/mem.h>

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static void durations(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {-5, "0ms"},
        {0, "0ms"},
        {1, "1ms"},
        {999, "999ms"},
        {SECOND, "1s"},
        {1999, "1s"},
        {45 * SECOND, "45s"},
        {MINUTE - 1, "59s"},
        {MINUTE, "1m"},
        {11 * MINUTE + 59 * SECOND, "11m"},
        {HOUR - 1, "59m"},
        {HOUR, "1h"},
        {3 * HOUR + 12 * MINUTE, "3h12m"},
        {12 * HOUR, "12h"},
        {DAY - 1, "23h59m"},
        {DAY, "1d"},
        {2 * DAY + 4 * HOUR + 59 * MINUTE, "2d4h"},
        {400 * DAY, "400d"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(text, 64);
        clock_format_duration(&text, cases[i].ms);
        assert_string_equal(buf_str(&text), cases[i].text);
    }
}

static void utc(void **state)
{
    static const struct {
        const char *text;
        time_t at; /* 0: malformed */
    } cases[] = {
        {"2026-11-21T07:00:00Z", 1795244400},
        {"2026-11-21t07:00:00z", 1795244400},
        {"2026-11-21 07:00:00Z", 1795244400},
        {"2026-11-21T07:00:00.123456789Z", 1795244400},
        {"2026-11-21T09:00:00+02:00", 1795244400},
        {"2026-11-21T02:30:00-04:30", 1795244400},
        {"2026-11-20T23:00:00.5-08:00", 1795244400},
        {"2000-02-29T23:59:59Z", 951868799},
        {"2038-01-19T03:14:08Z", 2147483648},
        {"1970-01-01T00:00:01Z", 1},
        {"2026-11-21T07:00:00+0000", 1795244400},
        {"2026-11-21T09:00:00+0200", 1795244400},
        {"2026-11-21T09:00:00+02", 1795244400},
        {"2026-11-21T07:00Z", 1795244400},
        {"2026-11-21 07:00 +0000", 1795244400},
        {"20261121T070000Z", 1795244400},
        {"20261121T0700Z", 1795244400},
        {"20261121T090000.5+0200", 1795244400},
        {"2026-11-21 07:00:00 UTC", 1795244400},
        {"2026-11-21T07:00:00UTC", 1795244400},
        {"2026-11-21T07:00:00 GMT", 1795244400},
        {"2026-11-21T07:00:00,5Z", 1795244400},
        {"", 0},
        {"tomorrow", 0},
        {"2026-1121T07:00:00Z", 0},
        {"202611-21T07:00:00Z", 0},
        {"2026-11-21T07:00:Z", 0},
        {"2026-11-21T07:00.5Z", 0},
        {"2026-11-21T07Z", 0},
        {"20261121T07000Z", 0},
        {"20261121T070000", 0},
        {"2026-11-21T07:00:00  UTC", 0},
        {"2026-11-21T07:00:00 CET", 0},
        {"2026-11-21T07:00:00+2", 0},
        {"2026-11-21T07:00:00+02:", 0},
        {"1795244400", 0},
        {"2026-11-21", 0},
        {"2026-11-21T07:00:00", 0},
        {"2026-11-21T07:00:00Zx", 0},
        {"2026-11-21T07:00:00+02:00x", 0},
        {"2026-13-21T07:00:00Z", 0},
        {"2026-00-21T07:00:00Z", 0},
        {"2026-11-00T07:00:00Z", 0},
        {"2026-11-32T07:00:00Z", 0},
        {"2026-11-21T24:00:00Z", 0},
        {"2026-11-21T07:60:00Z", 0},
        {"2026-11-21T07:00:61Z", 0},
        {"2026-02-30T07:00:00Z", 0},
        {"2025-02-29T07:00:00Z", 0},
        {"2026-11-21T-7:00:00Z", 0},
        {"2026-11-21T07:00:00+25:00", 0},
        {"2026-11-21T07:00:00+02:-1", 0},
        {" 2026-11-21T07:00:00Z", 0},
        {"2026-11-21T07:00:00.Z", 0},
        {"2026-1-2T07:00:00Z", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        time_t at = 0;
        bool good = clock_parse_utc(cases[i].text, &at);
        if (good != (cases[i].at != 0) || (good && at != cases[i].at))
            fail_msg("'%s': %s %jd", cases[i].text, good ? "read as" : "refused", (intmax_t)at);
    }
    AUTO_BUF(text, 64);
    clock_format_utc(&text, 1795244400);
    clock_format_utc(&text, 0);
    assert_string_equal(buf_str(&text), "2026-11-21T07:00:00Z1970-01-01T00:00:00Z");
}

static void deadlines(void **state)
{
    int64_t before = clock_ms(), soon = clock_deadline(60000, CLOCK_NEVER), after = clock_ms();

    (void)state;
    assert_true(soon >= before + 60000 && soon <= after + 60000);
    assert_true(clock_left(soon) > 50000 && clock_left(soon) <= 60000);
    assert_int_equal(clock_left(before - 1), 0);
    assert_int_equal(clock_left(0), 0);
    assert_int_equal(clock_left(CLOCK_NEVER), INT_MAX);
    assert_true(clock_deadline(60000, before + 5) == before + 5); /* the run's deadline is earlier */
    assert_true(clock_later(before, 5) == before + 5);
    assert_true(clock_later(CLOCK_NEVER, 5) == CLOCK_NEVER);
    assert_true(clock_since_start() >= 0 && clock_since_start() <= clock_ms());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(utc),
        cmocka_unit_test(deadlines),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
