/* SPDX-License-Identifier: MIT */
/*
 * Programs that the keeper runs: what they inherit, what is kept of their output, and that no process of
 * their group is left, whatever ended it. The programs are sh scripts; their processes are found by PID.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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

#include <base/clock.h>
#include <base/mem.h>
#include <event/child.h>

#define LONG_MS 20000

struct run {
    struct child child;
    struct buf out;
    bool ended, late, forgets;
    struct timer timer;
};
#define RUN_INIT                                                                                             \
    {                                                                                                        \
        .child = CHILD_INIT, .out = BUF_INIT(65536)                                                          \
    }

static void ended(struct child *c)
{
    OWNER_OF(c, struct run, child)->ended = true;
}

static void late(struct timer *t)
{
    struct run *run = OWNER_OF(t, struct run, timer);

    run->late = true;
    run->ended = true;
}

static void printed(struct child *c, const char *bytes, size_t n)
{
    struct run *run = OWNER_OF(c, struct run, child);

    buf_add(&run->out, bytes, n);
    if (run->forgets) {
        child_forget(c);
        run->ended = true;
    }
}

static void start(struct run *run, const char *script)
{
    char shell[] = "/bin/sh", option[] = "-c";
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    text = mem_strdup(script);
    char *argv[] = {shell, option, text, NULL};
    run->child.ended = ended;
    run->child.printed = printed;
    run->ended = run->late = false;
    assert_int_equal(child_start(&run->child, argv, NULL, &e), 0);
    assert_true(run->child.pid > 0);
}

static void wait_until(struct run *run)
{
    timer_set(&run->timer, clock_ms() + LONG_MS, late);
    loop_until(&run->ended);
    timer_clear(&run->timer);
    assert_false(run->late);
}

static void release(struct run *run)
{
    child_forget(&run->child);
    buf_release(&run->out);
    child_end_all();
}

static void pause_over(struct timer *t)
{
    OWNER_OF(t, struct run, timer)->ended = true;
}

/* Waits until the process is gone. Runs the loop meanwhile, because the loop may have to reap the process. */
static void wait_gone(pid_t pid)
{
    struct run waiting = RUN_INIT;
    int64_t until = clock_ms() + LONG_MS;

    while (kill(pid, 0) == 0) {
        assert_true(clock_ms() < until);
        waiting.ended = false;
        timer_set(&waiting.timer, clock_ms() + 5, pause_over);
        loop_until(&waiting.ended);
    }
    assert_int_equal(errno, ESRCH);
}

static void outputs(void **state)
{
    static const struct {
        const char *script, *out, *tail;
        int status;
    } cases[] = {
        {"echo out; echo err >&2", "out\n", "err\n", 0},
        {"exit 3", "", "", 3 << 8},
        {"kill -9 $$", "", "", 9},
        {"printf 'a\\033[31mb\\r\\nc\\r\\n' >&2", "", "a?[31mb\nc\n", 0},
        {"exec >&-; echo late >&2", "", "late\n", 0},
        {"exec >&- 2>&-; exit 4", "", "", 4 << 8},
        {"cat", "", "", 0}, /* stdin is empty */
        /* Only the last lines are kept, all of them whole, even if they came in many pieces. */
        {"i=0; while [ $i -lt 1000 ]; do echo line $i >&2; i=$((i+1)); done", "", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct run run = RUN_INIT;
        start(&run, cases[i].script);
        wait_until(&run);
        assert_int_equal(run.child.status, cases[i].status);
        assert_int_equal(run.child.pid, 0);
        assert_string_equal(buf_str(&run.out), cases[i].out);
        const char *tail = buf_str(&run.child.stderr_tail);
        if (cases[i].tail) {
            assert_string_equal(tail, cases[i].tail);
        } else {
            assert_in_range(strlen(tail), 4000, 4096);
            assert_memory_equal(tail, "line ", 5);
            assert_string_equal(tail + strlen(tail) - 9, "line 999\n");
        }
        release(&run);
    }
}

/* The program reads from the socket and writes to it, and its stderr is kept as usual. The caller has the
 * other end. */
static void socket_as_stdin_and_stdout(void **state)
{
    struct run run = RUN_INIT;
    char text[64] = "";
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(write(ends[0], "in\n", 3), 3);
    run.child.socket = ends[1];
    start(&run, "read x; echo got $x; echo err >&2; ls /proc/self/fd | tail -n 1");
    (void)close(ends[1]);
    wait_until(&run);
    assert_int_equal(run.child.status, 0);
    assert_string_equal(buf_str(&run.child.stderr_tail), "err\n");
    assert_int_equal(run.out.len, 0);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    /* 3 is the descriptor with which ls reads the folder. */
    assert_string_equal(text, "got in\n3\n");
    assert_int_equal(read(ends[0], text, sizeof text), 0);
    (void)close(ends[0]);
    release(&run);
}

static void cannot_start(void **state)
{
    static const struct {
        const char *path;
        enum err_code code;
    } cases[] = {{"/nonexistent/program", ERR_NOT_FOUND}, {"/etc/passwd", ERR_NOT_RUNNABLE}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct child c = CHILD_INIT;
        struct err e = ERR_INIT;
        AUTO_FREE(char *, path);
        path = mem_strdup(cases[i].path);
        char *argv[] = {path, NULL};
        assert_int_equal(child_start(&c, argv, NULL, &e), -1);
        assert_int_equal(e.code, cases[i].code);
        assert_int_equal(c.pid, 0);
        child_end(&c);
        child_forget(&c);
    }
}

/* A program gets neither the keeper's descriptors (not even one without close-on-exec) nor its raised limit
 * of open files, and is in a process group of its own. */
static void inherited(void **state)
{
    struct run run = RUN_INIT;
    struct rlimit before, now;
    AUTO_FREE(char *, expected);
    AUTO_FD(open_one);

    (void)state;
    open_one = open("/dev/null", O_RDONLY);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    before.rlim_cur = 256;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    proc_raise_files();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_true(now.rlim_cur == before.rlim_max);
    start(&run, "cd /proc/self/fd; echo *; ulimit -Sn; readlink 0; cut -d' ' -f5 /proc/$$/stat | grep -x $$ "
                ">/dev/null && echo own group");
    wait_until(&run);
    /* 3 is the descriptor with which the shell reads the folder. */
    expected = mem_printf("0 1 2 3\n%lu\n/dev/null\nown group\n", (unsigned long)before.rlim_cur);
    assert_string_equal(buf_str(&run.out), expected);
    release(&run);
}

static pid_t printed_pid(const struct run *run)
{
    return (pid_t)strtol(buf_str(&run->out), NULL, 10);
}

/* A grandchild that keeps stdout and stderr open does not delay ended(), and is itself ended. */
static void grandchild_is_ended_with_the_program(void **state)
{
    static const char *const scripts[] = {
        "sleep 1000 & echo $!; exit 5",
        "sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & while :; do read x </proc/$!/comm; [ \"$x\" != "
        "sleep ] || exit 5; done",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct run run = RUN_INIT;
        start(&run, scripts[i]);
        wait_until(&run);
        assert_int_equal(run.child.status, 5 << 8);
        assert_true(printed_pid(&run) > 0);
        assert_true(i == 0 || kill(printed_pid(&run), 0) == 0); /* it ignores SIGTERM */
        wait_gone(printed_pid(&run));
        release(&run);
    }
}

/* SIGTERM, then SIGKILL after 2 s for a program that ignores it. */
static void child_end_sends_term_then_kill(void **state)
{
    static const struct {
        const char *script;
        int status;
    } cases[] = {
        {"echo $$; exec sleep 1000", SIGTERM},
        {"trap 'exit 6' TERM; echo $$; while :; do sleep 0.01; done", 6 << 8},
        {"trap '' TERM; echo $$; while :; do sleep 0.05; done", SIGKILL},
        {"echo $$; kill -STOP $$; exec sleep 1000", SIGTERM}, /* stopped */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct run run = RUN_INIT;
        start(&run, cases[i].script);
        while (run.out.len == 0) {
            run.ended = false;
            timer_set(&run.timer, clock_ms() + 5, pause_over);
            loop_until(&run.ended);
        }
        child_end(&run.child);
        child_end(&run.child);
        run.ended = false;
        wait_until(&run);
        assert_int_equal(run.child.status, cases[i].status);
        wait_gone(printed_pid(&run));
        release(&run);
    }
}

/* child_forget() in the program's own callback, with more output to come: no callback follows. */
static void no_callback_after_forget(void **state)
{
    struct run run = RUN_INIT;

    (void)state;
    run.forgets = true;
    start(&run, "echo $$; while :; do echo more; echo more >&2; done");
    wait_until(&run);
    assert_int_equal(run.child.pid, 0);
    wait_gone(printed_pid(&run));
    size_t got = run.out.len;
    run.ended = false;
    timer_set(&run.timer, clock_ms() + 20, pause_over);
    loop_until(&run.ended);
    assert_int_equal(run.out.len, got);
    release(&run);
}

static void child_end_all_ends_every_child(void **state)
{
    struct run obeys_term = RUN_INIT, ignores_term = RUN_INIT;

    (void)state;
    start(&obeys_term, "sleep 1000 & echo $!; wait");
    start(&ignores_term, "trap '' TERM; echo $$; while :; do sleep 0.05; done");
    while (obeys_term.out.len == 0 || ignores_term.out.len == 0) {
        ignores_term.ended = false;
        timer_set(&ignores_term.timer, clock_ms() + 5, pause_over);
        loop_until(&ignores_term.ended);
    }
    int64_t began = clock_ms();
    child_end_all();
    assert_in_range(clock_ms() - began, 1900, LONG_MS);
    assert_int_equal(kill(printed_pid(&obeys_term), 0), -1);
    assert_int_equal(kill(printed_pid(&ignores_term), 0), -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* all reaped */
    began = clock_ms();
    child_end_all();
    assert_true(clock_ms() - began < 1000); /* nothing to wait for */
    release(&obeys_term);
    release(&ignores_term);
}

static void debugged(struct child *c, const char *line)
{
    buf_printf(&OWNER_OF(c, struct run, child)->out, "[%s]", line);
}

/* Debug lines in pieces and with ssh's line ends (CR LF), one that is too long, and similar lines. */
static void debug_lines(void **state)
{
    struct run run = RUN_INIT;

    (void)state;
    run.child.debugged = debugged;
    start(
        &run,
        "{ printf 'de'; sleep 0.1; printf 'bug1: a\\r\\ndeb\\ndecline\\n debug1: b\\n\\ndebug2:'; sleep 0.1;"
        "printf '\\nproxy debug1: c\\ndebug %0600d\\nend' 7; } >&2");
    wait_until(&run);
    assert_string_equal(buf_str(&run.child.stderr_tail), "deb\ndecline\n debug1: b\n\nproxy debug1: c\nend");
    assert_int_equal(strncmp(buf_str(&run.out), "[debug1: a][debug2:][debug 0", 28), 0);
    assert_in_range(run.out.len, 500, 550);
    release(&run);
}

static int setup(void **state)
{
    (void)state;
    proc_harden();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs),
        cmocka_unit_test(cannot_start),
        cmocka_unit_test(inherited),
        cmocka_unit_test(grandchild_is_ended_with_the_program),
        cmocka_unit_test(child_end_sends_term_then_kill),
        cmocka_unit_test(no_callback_after_forget),
        cmocka_unit_test(child_end_all_ends_every_child),
        cmocka_unit_test(debug_lines),
        cmocka_unit_test(socket_as_stdin_and_stdout),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
