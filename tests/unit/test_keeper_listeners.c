/* SPDX-License-Identifier: MIT */
/* Listening ends: an end that cannot be had says why. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/mem.h>
#include <keeper/listeners.h>
#include <keeper/options.h>

#include "forbid_family.h"

static void wants(const char *host, unsigned port)
{
    free(opt.listener[0].host);
    opt.listener[0].host = mem_strdup(host);
    opt.listener[0].port = port;
    opt.listeners = 1;
}

static void fails(enum err_code code, const char *words)
{
    struct err e = ERR_INIT;

    assert_int_equal(listeners_open(&e), -1);
    assert_int_equal(e.code, code);
    assert_string_equal(e.msg, words);
}

static void taken(void **state)
{
    struct err e = ERR_INIT;
    AUTO_FREE(char *, words);

    (void)state;
    wants("127.0.0.1", 0);
    assert_int_equal(listeners_open(&e), 0);
    assert_int_not_equal(opt.listener[0].port, 0);
    words = mem_printf("127.0.0.1:%u is taken", opt.listener[0].port);
    fails(ERR_UNREACHABLE, words);
    listeners_close();
}

static void no_descriptor(void **state)
{
    struct rlimit before, none;

    (void)state;
    wants("127.0.0.1", 3307);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    fails(ERR_UNREACHABLE, "127.0.0.1:3307: Too many open files");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void not_ours(void **state)
{
    (void)state;
    wants("192.0.2.1", 3307);
    fails(ERR_UNREACHABLE, "192.0.2.1:3307: Cannot assign requested address");
    wants("db.example.com", 3307);
    fails(ERR_CONFIG, "db.example.com: Name or service not known");
}

static bool opens(void)
{
    struct err e = ERR_INIT;

    return listeners_open(&e) == 0 && !*e.msg;
}

static bool is_free(const char *host, unsigned port)
{
    struct err e = ERR_INIT;

    wants(host, port);
    return listeners_open(&e) == 0;
}

/* In a process of its own: the filter stays. */
static void without(int family, bool works)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        assert_int_equal(forbid_family(family, EAFNOSUPPORT), 0);
        wants("localhost", 0);
        _exit(opens() == works ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void localhost(void **state)
{
    (void)state;
    wants("localhost", 0);
    assert_true(opens());
    unsigned port = opt.listener[0].port;
    assert_string_equal(opt.listener[0].host, "localhost");
    assert_false(is_free("127.0.0.1", port));
    assert_false(is_free("::1", port));
    assert_false(is_free("localhost", port));
    listeners_close();
    assert_true(is_free("localhost", port));
    listeners_close();
    without(AF_INET6, true);
    without(AF_INET, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken), cmocka_unit_test(no_descriptor),
                                       cmocka_unit_test(not_ours), cmocka_unit_test(localhost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
