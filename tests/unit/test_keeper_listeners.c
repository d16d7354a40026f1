/* SPDX-License-Identifier: MIT */
/* Listeners, and the errors for addresses that cannot be used. */
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

static void set_listener(const char *host, unsigned port)
{
    free(opt.listener[0].host);
    opt.listener[0].host = mem_strdup(host);
    opt.listener[0].port = port;
    opt.listeners = 1;
}

static void open_fails(enum err_code code, const char *message)
{
    struct err e = ERR_INIT;

    assert_int_equal(listeners_open(&e), -1);
    assert_int_equal(e.code, code);
    assert_string_equal(e.msg, message);
}

static void port_in_use(void **state)
{
    struct err e = ERR_INIT;
    AUTO_FREE(char *, message);

    (void)state;
    set_listener("127.0.0.1", 0);
    assert_int_equal(listeners_open(&e), 0);
    assert_int_not_equal(opt.listener[0].port, 0);
    message = mem_printf("127.0.0.1:%u is taken", opt.listener[0].port);
    open_fails(ERR_UNREACHABLE, message);
    listeners_close();
}

static void no_descriptor_left(void **state)
{
    struct rlimit before, none;

    (void)state;
    set_listener("127.0.0.1", 3307);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    open_fails(ERR_UNREACHABLE, "127.0.0.1:3307: Too many open files");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void not_a_local_address(void **state)
{
    (void)state;
    set_listener("192.0.2.1", 3307);
    open_fails(ERR_UNREACHABLE, "192.0.2.1:3307: Cannot assign requested address");
    set_listener("db.example.com", 3307);
    open_fails(ERR_CONFIG, "db.example.com: Name or service not known");
}

static bool opens(void)
{
    struct err e = ERR_INIT;

    return listeners_open(&e) == 0 && !*e.msg;
}

static bool is_free(const char *host, unsigned port)
{
    struct err e = ERR_INIT;

    set_listener(host, port);
    return listeners_open(&e) == 0;
}

/* Runs in a child process, because the seccomp filter cannot be removed. */
static void localhost_without(int family, bool works)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        assert_int_equal(forbid_family(family, EAFNOSUPPORT), 0);
        set_listener("localhost", 0);
        _exit(opens() == works ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void localhost(void **state)
{
    (void)state;
    set_listener("localhost", 0);
    assert_true(opens());
    unsigned port = opt.listener[0].port;
    assert_string_equal(opt.listener[0].host, "localhost");
    assert_false(is_free("127.0.0.1", port));
    assert_false(is_free("::1", port));
    assert_false(is_free("localhost", port));
    listeners_close();
    assert_true(is_free("localhost", port));
    listeners_close();
    localhost_without(AF_INET6, true);
    localhost_without(AF_INET, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(port_in_use), cmocka_unit_test(no_descriptor_left),
                                       cmocka_unit_test(not_a_local_address), cmocka_unit_test(localhost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
