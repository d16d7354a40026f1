/* SPDX-License-Identifier: MIT */
/*
 * The helpers here are this program itself, started through symbolic links in ../libexec/broker; each name
 * stands for another behaviour. If a helper misbehaves, the caller must get an error in time, and no child
 * process may be left.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <ipc/helper.h>

enum { ECHO = RECORD_FIRST_VERB, REFUSE, SLOW, CHATTER, LINGER, VARIABLE };
enum { TAG_TEXT = 1, TAG_PID };

static void sleep_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* --- the helpers --- */

static bool lingers;

static void settle(void)
{
    if (lingers)
        sleep_ms(60000);
}

static int handle(const struct record *request, struct record *answer, struct err *e)
{
    AUTO_FREE(char *, text);

    text = record_str(request, TAG_TEXT);
    if (request->kind == REFUSE) {
        record_put_str(answer, TAG_TEXT, "half an answer");
        (void)err_set(e, ERR_LOGIN, "no: %s", text ? text : "");
        return err_hint(e, "ask better");
    }
    if (request->kind == SLOW)
        sleep_ms(300);
    if (request->kind == CHATTER) {
        (void)puts("a library that prints");
        (void)fflush(stdout);
    }
    lingers = request->kind == LINGER;
    record_put_str(answer, TAG_TEXT, request->kind == VARIABLE ? getenv(text) : text);
    record_put_u64(answer, TAG_PID, (uint64_t)getpid());
    return 0;
}

static int misbehave(const char *name)
{
    char request[64];

    if (text_equal(name, "helper-exit"))
        return 3;
    if (text_equal(name, "helper-late-exit"))
        sleep_ms(100);
    (void)!read(STDIN_FILENO, request, sizeof request);
    if (text_equal(name, "helper-killed"))
        (void)raise(SIGKILL);
    else if (text_equal(name, "helper-garbage"))
        (void)!write(STDOUT_FILENO, "HTTP/1.1 200 OK\r\n", 17);
    else if (text_equal(name, "helper-kind"))
        (void)!write(STDOUT_FILENO, "\0\0\0\2\1\7", 6);
    else if (text_equal(name, "helper-cut"))
        (void)!write(STDOUT_FILENO, "\0\0\0\x50\1\1half", 10);
    else if (text_equal(name, "helper-stall"))
        (void)!write(STDOUT_FILENO, "\0\0\0\x50\1\1half", 10);
    if (text_equal(name, "helper-deaf") || text_equal(name, "helper-stall"))
        sleep_ms(60000);
    return 0;
}

/* --- the caller --- */

static int set_up(void **state)
{
    AUTO_FREE(char *, here);
    AUTO_FREE(char *, self);
    AUTO_FREE(char *, folder);
    static const char *const names[] = {"helper-echo",   "helper-exit",    "helper-late-exit",
                                        "helper-killed", "helper-garbage", "helper-kind",
                                        "helper-cut",    "helper-stall",   "helper-deaf"};
    struct err e = ERR_INIT;

    (void)state;
    here = proc_self_dir();
    self = mem_printf("%s/test_helper", here);
    folder = mem_printf("%s/../libexec/broker", here);
    if (file_mkdirs(folder, &e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE(char *, path);
        path = mem_printf("%s/%s", folder, names[i]);
        if (symlink(self, path) < 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

static int call(struct helper *h, uint8_t verb, const char *text, int64_t ms, struct record *answer,
                struct err *e)
{
    AUTO_RECORD(request);

    request.kind = verb;
    record_put_str(&request, TAG_TEXT, text);
    return helper_call(h, &request, answer, clock_deadline(ms, CLOCK_NEVER), e);
}

static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void one_process_serves_many_calls(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    struct err e = ERR_INIT;
    uint64_t pid = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        AUTO_RECORD(answer);
        AUTO_FREE(char *, text);
        assert_int_equal(call(&h, ECHO, "hello", 20000, &answer, &e), 0);
        text = record_str(&answer, TAG_TEXT);
        assert_string_equal(text, "hello");
        uint64_t now = record_u64(&answer, TAG_PID, 0);
        assert_true(now != 0 && now != (uint64_t)getpid() && (pid == 0 || now == pid));
        pid = now;
    }
    helper_end(&h);
    assert_no_child();
    helper_end(&h);
}

static void large_answers_arrive(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(answer);
    AUTO_FREE(char *, large);
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    (void)state;
    large = mem_alloc(500001, 1);
    memset(large, 'x', 500000);
    assert_int_equal(call(&h, ECHO, large, 20000, &answer, &e), 0);
    text = record_str(&answer, TAG_TEXT);
    assert_string_equal(text, large);
    helper_end(&h);
}

/* What a helper does after its answer, such as wiping, takes a minute here. */
static void answer_arrives_before_settle(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(answer);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(call(&h, LINGER, "x", 20000, &answer, &e), 0);
    helper_end(&h);
    assert_no_child();
}

static void variable_is_set_only_for_the_helper(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(answer);
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    (void)state;
    h.sets = "BROKER_TEST_HELPER";
    assert_int_equal(call(&h, VARIABLE, h.sets, 20000, &answer, &e), 0);
    text = record_str(&answer, TAG_TEXT);
    assert_string_equal(text, "1");
    assert_null(getenv(h.sets));
    helper_end(&h);
}

static void error_is_passed_on_and_helper_keeps_running(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(refused);
    AUTO_RECORD(answer);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(call(&h, REFUSE, "why", 20000, &refused, &e), -1);
    assert_int_equal(e.code, ERR_LOGIN);
    assert_string_equal(e.msg, "no: why");
    assert_string_equal(e.hint, "ask better");
    long pid = h.pid;
    assert_int_equal(call(&h, ECHO, "on", 20000, &answer, &e), 0);
    assert_int_equal(h.pid, pid);
    helper_end(&h);
}

static void printed_text_is_discarded(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(answer);
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(call(&h, CHATTER, "clean", 20000, &answer, &e), 0);
    text = record_str(&answer, TAG_TEXT);
    assert_string_equal(text, "clean");
    helper_end(&h);
}

static void late_answer_is_not_used_for_next_call(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(late);
    AUTO_RECORD(next);
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    (void)state;
    int64_t start = clock_ms();
    assert_int_equal(call(&h, SLOW, "late", 50, &late, &e), -1);
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_non_null(strstr(e.msg, "helper-echo"));
    assert_in_range(clock_ms() - start, 49, 15000);
    assert_no_child();
    assert_int_equal(call(&h, ECHO, "next", 20000, &next, &e), 0);
    text = record_str(&next, TAG_TEXT);
    assert_string_equal(text, "next");
    helper_end(&h);
}

static void misbehaving_helpers_are_errors(void **state)
{
    static const struct {
        const char *name;
        enum err_code code;
        const char *message;
    } cases[] = {
        {"helper-exit", ERR_PROTOCOL, "exit status 3"},
        {"helper-late-exit", ERR_PROTOCOL, "exited without an answer"},
        {"helper-killed", ERR_PROTOCOL, "killed by SIGKILL"},
        {"helper-garbage", ERR_PROTOCOL, "not a record"},
        {"helper-kind", ERR_PROTOCOL, "kind 7"},
        {"helper-cut", ERR_PROTOCOL, "a truncated record"},
        {"helper-stall", ERR_UNREACHABLE, "in time"},
        {"helper-deaf", ERR_UNREACHABLE, "in time"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct helper h = HELPER_INIT(cases[i].name, NULL);
        AUTO_RECORD(answer);
        struct err e = ERR_INIT;
        int ms = cases[i].code == ERR_UNREACHABLE ? 200 : 20000;
        assert_int_equal(call(&h, ECHO, "x", ms, &answer, &e), -1);
        if (e.code != cases[i].code || !strstr(e.msg, cases[i].name) || !strstr(e.msg, cases[i].message))
            fail_msg("%s: %d %s", cases[i].name, e.code, e.msg);
        assert_no_child();
    }
}

static void dead_helper_is_restarted(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(first);
    AUTO_RECORD(second);
    AUTO_RECORD(third);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(call(&h, ECHO, "1", 20000, &first, &e), 0);
    (void)kill((pid_t)h.pid, SIGKILL);
    sleep_ms(50);
    assert_int_equal(call(&h, ECHO, "2", 20000, &second, &e), -1);
    assert_int_equal(e.code, ERR_PROTOCOL);
    assert_int_equal(call(&h, ECHO, "3", 20000, &third, &e), 0);
    helper_end(&h);
}

static void missing_helper_is_a_config_error(void **state)
{
    struct helper h = HELPER_INIT("helper-none", NULL);
    AUTO_RECORD(answer);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(call(&h, ECHO, "x", 1000, &answer, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "helper-none"));
    assert_true(e.hint[0] != '\0');
    assert_no_child();
}

static void helper_that_does_not_exit_is_killed(void **state)
{
    struct helper h = HELPER_INIT("helper-deaf", NULL);
    struct helper polite = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(request);
    struct err e = ERR_INIT;

    int64_t start, took = 400;

    (void)state;
    /* The machine may be busy, so one quick exit in five tries is enough to show that it was not killed. */
    for (int i = 0; i < 5 && took >= 400; i++) {
        AUTO_RECORD(answer);
        assert_int_equal(call(&polite, ECHO, "x", 20000, &answer, &e), 0);
        start = clock_ms();
        helper_end(&polite);
        took = clock_ms() - start;
    }
    assert_in_range(took, 0, 399);
    start = clock_ms();
    assert_int_equal(call(&h, ECHO, "x", 20, &request, &e), -1);
    assert_in_range(clock_ms() - start, 400, 20000);
    assert_no_child();
}

static void end_all_ends_every_helper(void **state)
{
    struct helper one = HELPER_INIT("helper-echo", NULL), two = HELPER_INIT("helper-echo", NULL);
    AUTO_RECORD(a);
    AUTO_RECORD(b);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(call(&one, ECHO, "1", 20000, &a, &e), 0);
    assert_int_equal(call(&two, ECHO, "2", 20000, &b, &e), 0);
    helper_end_all();
    assert_no_child();
    assert_int_equal(one.to, -1);
    assert_int_equal(two.from, -1);
    assert_int_equal(call(&one, ECHO, "again", 20000, &a, &e), 0);
    helper_end_all();
    assert_no_child();
}

static void end_returns_if_sigchld_is_ignored(void **state)
{
    struct helper h = HELPER_INIT("helper-echo", NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, was;
    AUTO_RECORD(answer);
    struct err e = ERR_INIT;

    (void)state;
    (void)sigaction(SIGCHLD, &ignore, &was);
    assert_int_equal(call(&h, ECHO, "x", 20000, &answer, &e), 0);
    int64_t start = clock_ms();
    helper_end(&h);
    assert_in_range(clock_ms() - start, 0, 15000);
    (void)sigaction(SIGCHLD, &was, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_serves_many_calls),
        cmocka_unit_test(large_answers_arrive),
        cmocka_unit_test(error_is_passed_on_and_helper_keeps_running),
        cmocka_unit_test(printed_text_is_discarded),
        cmocka_unit_test(late_answer_is_not_used_for_next_call),
        cmocka_unit_test(misbehaving_helpers_are_errors),
        cmocka_unit_test(dead_helper_is_restarted),
        cmocka_unit_test(missing_helper_is_a_config_error),
        cmocka_unit_test(helper_that_does_not_exit_is_killed),
        cmocka_unit_test(end_all_ends_every_helper),
        cmocka_unit_test(end_returns_if_sigchld_is_ignored),
        cmocka_unit_test(answer_arrives_before_settle),
        cmocka_unit_test(variable_is_set_only_for_the_helper),
    };
    const char *name = argc > 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : "";

    if (text_equal(name, "helper-echo"))
        return helper_serve(handle, settle) < 0 ? 1 : 0;
    if (text_starts(name, "helper-"))
        return misbehave(name);
    return cmocka_run_group_tests(tests, set_up, NULL);
}
