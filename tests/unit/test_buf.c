/* SPDX-License-Identifier: MIT */
/* The buffer: its bound, its overflow flag, and that none of its content stays in freed memory. */
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

static void appends(void **state)
{
    AUTO_BUF(b, 100);

    (void)state;
    assert_string_equal(buf_str(&b), "");
    buf_puts(&b, "ab");
    buf_putc(&b, 'c');
    buf_add(&b, "d\0e", 3);
    buf_add(&b, "", 0);
    buf_printf(&b, "%s-%d", "x", 42);
    assert_int_equal(b.len, 10);
    assert_memory_equal(buf_str(&b), "abcd\0ex-42", 11);
    assert_true(buf_ok(&b));
    char *room = buf_room(&b, 3);
    memcpy(room, "123", 3);
    buf_grew(&b, 3);
    assert_memory_equal(buf_str(&b), "abcd\0ex-42123", 14);
    buf_clear(&b);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(b.len, 0);
}

/* Exactly the bytes of the bound can be used. An append that does not fit is left out completely, and so is
 * every append after it. */
static void bound(void **state)
{
    for (size_t max = 0; max < 200; max++) {
        AUTO_BUF(b, max);
        for (size_t i = 0; i < max; i++)
            buf_putc(&b, 'x');
        assert_true(buf_ok(&b));
        assert_int_equal(b.len, max);
        buf_putc(&b, 'y');
        assert_false(buf_ok(&b));
        assert_int_equal(b.len, max);
        assert_null(strchr(buf_str(&b), 'y'));
    }
    AUTO_BUF(b, 10);
    (void)state;
    buf_puts(&b, "12345");
    buf_puts(&b, "678901");
    buf_puts(&b, "1");
    buf_printf(&b, "%s", "1");
    assert_null(buf_room(&b, 1));
    assert_string_equal(buf_str(&b), "12345");
    assert_false(buf_ok(&b));
    buf_clear(&b);
    assert_true(buf_ok(&b));
    assert_null(buf_room(&b, SIZE_MAX));
    assert_false(buf_ok(&b));
}

static void take(void **state)
{
    AUTO_BUF(b, 50);
    AUTO_FREE(char *, empty);
    AUTO_FREE(char *, full);

    (void)state;
    empty = buf_take(&b);
    assert_string_equal(empty, "");
    buf_puts(&b, "content");
    full = buf_take(&b);
    assert_string_equal(full, "content");
    assert_string_equal(buf_str(&b), "");
    for (int i = 0; i < 51; i++)
        buf_putc(&b, 'x');
    assert_int_equal(b.len, 50); /* the bound is the same as before */
}

/*
 * For a block of the same size, malloc() returns the freed one unchanged except for its first bytes, so the
 * test can see what a freed block still contained. The address sanitizer does not return freed blocks.
 */
#define SECRET "hunter2"
#define HIDDEN 24 /* an offset behind the bytes that the allocator overwrites */

static void *(*volatile allocate)(size_t) = malloc;

static bool left_behind(size_t size)
{
    volatile char *block = allocate(size);
    size_t same = 0;

    for (size_t i = 0; i < sizeof SECRET - 1; i++) {
        same += block[HIDDEN + i] == SECRET[i];
        block[HIDDEN + i] = 0;
    }
    free((void *)(uintptr_t)block);
    return same == sizeof SECRET - 1;
}

static void wiped(void **state)
{
    AUTO_BUF(b, 4096);

    (void)state;
#ifndef __SANITIZE_ADDRESS__
    volatile char *unwiped = allocate(64);
    for (size_t i = 0; i < sizeof SECRET; i++)
        unwiped[HIDDEN + i] = SECRET[i];
    free((void *)(uintptr_t)unwiped);
    assert_true(left_behind(64)); /* the test detects a block that was not wiped */
#endif
    buf_add(&b, "........................", HIDDEN);
    buf_puts(&b, SECRET);
    const char *at = buf_str(&b) + HIDDEN;
    buf_clear(&b);
    for (size_t i = 0; i < sizeof SECRET - 1; i++)
        assert_int_equal(at[i], 0);
    buf_add(&b, "........................", HIDDEN);
    buf_puts(&b, SECRET);
    for (int i = 0; i < 1000; i++)
        buf_putc(&b, '.'); /* it is reallocated several times */
    size_t largest = b.cap;
    buf_release(&b);
    for (size_t size = 64; size <= largest; size *= 2)
        assert_false(left_behind(size));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(bound),
        cmocka_unit_test(take),
        cmocka_unit_test(wiped),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
