/* SPDX-License-Identifier: MIT */
/*
 * Secrets: their limits, and that a freed secret is wiped. The arena reuses the memory of a freed secret for
 * the next one, so a test can look at what is left there. A child process reads into the guard pages of the
 * arena and of a large secret.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/secret.h>

#define CANARY "hunter2-canary"
#define CANARY_LEN (sizeof CANARY - 1)

static void adding(void **state)
{
    AUTO_SECRET(s);
    AUTO_SECRET(none);

    (void)state;
    s = secret_new(5);
    assert_string_equal(secret_bytes(s), "");
    assert_int_equal(secret_add(s, "ab", 2), 0);
    assert_int_equal(secret_add(s, "", 0), 0);
    assert_int_equal(secret_add(s, "cdef", 4), -1); /* and nothing is appended */
    assert_string_equal(secret_bytes(s), "ab");
    assert_int_equal(secret_add(s, "\0de", 3), 0);
    assert_int_equal(secret_len(s), 5);
    assert_memory_equal(secret_bytes(s), "ab\0de", 6);
    assert_int_equal(secret_add(s, "x", 1), -1);
    assert_int_equal(secret_add(s, "x", SIZE_MAX), -1);
    none = secret_new(0);
    assert_int_equal(secret_add(none, "x", 1), -1);
    assert_string_equal(secret_bytes(none), "");
    secret_free(NULL);
}

static void truncating(void **state)
{
    static const char *const cases[][2] = {{"a\n", "a"},       {"a\r\n", "a"},  {"a", "a"}, {"a\n\n", "a\n"},
                                           {"a\r", "a\r"},     {"\n", ""},      {"", ""},   {"\r\n", ""},
                                           {"a\r\r\n", "a\r"}, {" a \n", " a "}};
    static const char *const lines[][2] = {
        {"a\nb\n", "a"}, {"a\r\nb", "a"}, {"a\rb\n", "a\rb"}, {"\nb", ""}, {"", ""}};
    AUTO_SECRET(s);

    (void)state;
    s = secret_from("abcdef", 6);
    secret_cut(s, 9);
    assert_int_equal(secret_len(s), 6);
    secret_cut(s, 2);
    assert_memory_equal(secret_bytes(s), "ab\0\0\0\0", 6); /* wiped, not only hidden */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_SECRET(line);
        line = secret_from(cases[i][0], strlen(cases[i][0]));
        secret_chomp(line);
        assert_int_equal(secret_len(line), strlen(cases[i][1]));
        assert_string_equal(secret_bytes(line), cases[i][1]);
    }
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        AUTO_SECRET(line);
        line = secret_from(lines[i][0], strlen(lines[i][0]));
        secret_keep_line(line);
        assert_int_equal(secret_len(line), strlen(lines[i][1]));
        assert_string_equal(secret_bytes(line), lines[i][1]);
    }
}

static void equality(void **state)
{
    AUTO_SECRET(a);
    AUTO_SECRET(same);
    AUTO_SECRET(other);
    AUTO_SECRET(longer);

    (void)state;
    a = secret_from("a\0b", 3);
    same = secret_from("a\0b", 3);
    other = secret_from("a\0c", 3);
    longer = secret_from("a\0bc", 4);
    assert_true(secret_equal(a, same));
    assert_false(secret_equal(a, other) || secret_equal(a, longer));
}

static void bounds(void **state)
{
    AUTO_SECRET(vast);
    AUTO_FREE(char *, bytes);

    (void)state;
    bytes = mem_alloc(SECRET_MAX + 10, 1);
    memset(bytes, 'x', SECRET_MAX + 10);
    vast = secret_from(bytes, SECRET_MAX + 10);
    assert_int_equal(secret_len(vast), SECRET_MAX);
    assert_int_equal(secret_add(vast, "y", 1), -1);
    assert_int_equal(secret_bytes(vast)[SECRET_MAX], 0);
}

/* The next secret has the same address, so whatever is left of the freed one is there. */
static void wiped_when_freed(void **state)
{
    struct secret *first = secret_from(CANARY, CANARY_LEN);
    const volatile char *at = secret_bytes(first);

    (void)state;
    secret_free(first);
    struct secret *second = secret_new(CANARY_LEN);
    assert_ptr_equal(secret_bytes(second), at);
    for (size_t i = 0; i < CANARY_LEN; i++)
        assert_int_equal(at[i], 0);
    secret_free(second);
}

/* The memory of a secret that is not the newest is not reused at once, but it is wiped too. */
static void wiped_out_of_order(void **state)
{
    struct secret *old = secret_from(CANARY, CANARY_LEN), *newer = secret_from("newer", 5);
    const volatile char *at = secret_bytes(old);

    (void)state;
    secret_free(old);
    for (size_t i = 0; i < CANARY_LEN; i++)
        assert_int_equal(at[i], 0);
    assert_string_equal(secret_bytes(newer), "newer");
    secret_free(newer);
}

/* More secrets than the arena holds: each further one has its own allocation. */
static void more_than_the_arena_holds(void **state)
{
    struct secret *all[40];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = secret_new(4000);
        for (size_t j = 0; j < 4000; j++)
            assert_int_equal(secret_add(all[i], &(char){(char)('A' + i % 26)}, 1), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t j = 0; j < 4000; j++)
            assert_int_equal(secret_bytes(all[i])[j], 'A' + (char)(i % 26));
        secret_free(all[i]);
    }
}

/* Returns true if SIGSEGV kills a child that reads n bytes from that address. */
static bool read_is_forbidden(const char *at, size_t n)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0};
        volatile char sum = 0;
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        for (size_t i = 0; i < n; i++)
            sum = (char)(sum ^ ((const volatile char *)at)[i]);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/* The page after the memory of a secret cannot be read: a program that reads past the end is killed. */
static void guarded(void **state)
{
    AUTO_SECRET(small);
    AUTO_SECRET(vast);

    (void)state;
    small = secret_from("x", 1);
    vast = secret_new(SECRET_MAX);
    assert_false(read_is_forbidden(secret_bytes(small), 2));
    assert_true(read_is_forbidden(secret_bytes(small), 65536 + 4096));
    assert_false(read_is_forbidden(secret_bytes(vast), SECRET_MAX + 1));
    assert_true(read_is_forbidden(secret_bytes(vast), SECRET_MAX + 64));
}

/* --- reading from a descriptor
 * ----------------------------------------------------------------------------------- */

static int pipe_with(const char *bytes, size_t n)
{
    int fds[2];
    struct err e = ERR_INIT;

    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(fd_write_all(fds[1], bytes, n), 0);
    (void)close(fds[1]);
    return fds[0];
}

static void reading(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, max;
        bool line;
        const char *secret; /* NULL: over the limit */
        size_t len;
        const char *rest;
    } cases[] = {
        {"abc", 3, 10, false, "abc", 3, ""},
        {"", 0, 10, false, "", 0, ""},
        {"a\nb\n", 4, 10, false, "a\nb\n", 4, ""},
        {"a\0b", 3, 3, false, "a\0b", 3, ""},
        {"abcd", 4, 3, false, NULL, 0, ""},
        {"a\nbc\n", 5, 10, true, "a\n", 2, "bc\n"}, /* the rest is left to the client */
        {"ab", 2, 10, true, "ab", 2, ""},
        {"\nx", 2, 10, true, "\n", 1, "x"},
        {"abc\nd", 5, 4, true, "abc\n", 4, "d"},
        {"abcd\n", 5, 4, true, NULL, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_SECRET(got);
        AUTO_FD(fd);
        char rest[16] = "";
        struct err e = ERR_INIT;
        fd = pipe_with(cases[i].bytes, cases[i].n);
        int result = secret_read_fd(fd, cases[i].max, cases[i].line, &got, &e);
        assert_int_equal(result, cases[i].secret ? 0 : -1);
        if (result < 0) {
            assert_int_equal(e.code, ERR_DATA);
            assert_null(got);
            continue;
        }
        assert_int_equal(secret_len(got), cases[i].len);
        assert_memory_equal(secret_bytes(got), cases[i].secret, cases[i].len);
        assert_true(read(fd, rest, sizeof rest - 1) >= 0);
        assert_string_equal(rest, cases[i].rest);
    }
    AUTO_SECRET(none);
    struct err e = ERR_INIT;
    assert_int_equal(secret_read_fd(-1, 10, false, &none, &e), -1);
    assert_int_equal(e.code, ERR_IO);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding),
        cmocka_unit_test(truncating),
        cmocka_unit_test(equality),
        cmocka_unit_test(bounds),
        cmocka_unit_test(wiped_when_freed),
        cmocka_unit_test(wiped_out_of_order),
        cmocka_unit_test(more_than_the_arena_holds),
        cmocka_unit_test(guarded),
        cmocka_unit_test(reading),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
