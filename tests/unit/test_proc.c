/* SPDX-License-Identifier: MIT */
/*
 * Running a program and capturing its output: input and output at once, the limits, the deadline, a
 * grandchild that keeps the outputs open, programs that cannot be started; changes of the environment; what a
 * child inherits. The programs are sh scripts.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>

#define LONG_MS 20000

struct ran {
    int result;
    struct proc_result r;
    struct err e;
};

static void ran_release(struct ran *ran)
{
    proc_result_release(&ran->r);
}
#define AUTO_RAN(name)                                                                                       \
    __attribute__((cleanup(ran_release))) struct ran name = {.r = PROC_RESULT_INIT, .e = ERR_INIT}

static void run_program(char *const *argv, struct proc_run run, struct ran *ran)
{
    run.argv = argv;
    run.max = run.max ? run.max : 60000;
    run.deadline = run.deadline ? run.deadline : clock_deadline(LONG_MS, CLOCK_NEVER);
    ran->result = proc_capture(&run, &ran->r, &ran->e);
}

static void run_script(const char *script, struct proc_run run, struct ran *ran)
{
    AUTO_FREE(char *, text);
    char shell[] = "/bin/sh", option[] = "-c";

    text = mem_strdup(script);
    char *argv[] = {shell, option, text, NULL};
    run_program(argv, run, ran);
}

static void outputs(void **state)
{
    static const struct {
        const char *script, *out, *err;
        int status;
    } cases[] = {
        {"echo out; echo err >&2", "out\n", "err\n", 0},
        {"exit 3", "", "", 3 << 8},
        {"kill -9 $$", "", "", 9},
        {"printf 'a\\033[31mb\\r\\n' >&2", "", "a?[31mb?\n", 0},
        {"exec >&-; echo late >&2", "", "late\n", 0},
        {"exec >&- 2>&-; exit 4", "", "", 4 << 8},
        {"cat", "", "", 0}, /* without input, stdin is /dev/null */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_RAN(ran);
        run_script(cases[i].script, (struct proc_run){0}, &ran);
        assert_int_equal(ran.result, 0);
        assert_string_equal(secret_bytes(ran.r.out), cases[i].out);
        assert_string_equal(buf_str(&ran.r.err), cases[i].err);
        assert_int_equal(ran.r.status, cases[i].status);
    }
}

/* More than a pipe holds, in both directions at once: this must not deadlock. */
static void large_input_and_output(void **state)
{
    AUTO_SECRET(input);
    AUTO_RAN(ran);

    (void)state;
    input = secret_new(SECRET_MAX);
    for (size_t i = 0; i < SECRET_MAX; i++)
        assert_int_equal(secret_add(input, &(char){(char)('a' + i % 26)}, 1), 0);
    run_script("cat", (struct proc_run){.input = input, .max = SECRET_MAX}, &ran);
    assert_int_equal(ran.result, 0);
    assert_true(secret_equal(ran.r.out, input));
    assert_int_equal(ran.r.status, 0);
    /* a program that ends without reading its input */
    AUTO_RAN(deaf);
    run_script("exit 5", (struct proc_run){.input = input}, &deaf);
    assert_int_equal(deaf.result, 0);
    assert_int_equal(deaf.r.status, 5 << 8);
}

static void too_much_output(void **state)
{
    AUTO_RAN(exact);
    AUTO_RAN(over);
    AUTO_RAN(endless);

    (void)state;
    run_script("printf 0123456789", (struct proc_run){.max = 10}, &exact);
    assert_int_equal(exact.result, 0);
    run_script("printf 0123456789a", (struct proc_run){.max = 10}, &over);
    assert_int_equal(over.result, -1);
    assert_int_equal(over.e.code, ERR_DATA);
    assert_string_equal(over.e.msg, "/bin/sh printed over 10 bytes");
    run_script("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxx; done", (struct proc_run){.max = 1000}, &endless);
    assert_int_equal(endless.e.code, ERR_DATA); /* and the program was killed */
}

/* Only the end of a long stderr is kept, because the last line usually says why the program failed. */
static void stderr_tail(void **state)
{
    AUTO_RAN(ran);

    (void)state;
    run_script("i=0; while [ $i -lt 3000 ]; do echo line-$i >&2; i=$((i+1)); done; exit 1",
               (struct proc_run){0}, &ran);
    assert_int_equal(ran.result, 0);
    assert_int_equal(ran.r.err.len, 4096);
    const char *end = buf_str(&ran.r.err) + ran.r.err.len - sizeof "line-2999\n" + 1;
    assert_string_equal(end, "line-2999\n");
    assert_null(strstr(buf_str(&ran.r.err), "line-1\n"));
}

static void deadline(void **state)
{
    AUTO_RAN(ran);
    AUTO_RAN(stubborn);
    int64_t before = clock_ms();

    (void)state;
    run_script("exec sleep 100", (struct proc_run){.deadline = before + 100}, &ran);
    assert_int_equal(ran.result, -1);
    assert_int_equal(ran.e.code, ERR_UNREACHABLE);
    assert_string_equal(ran.e.msg, "/bin/sh did not end in time");
    assert_true(clock_ms() - before < LONG_MS);
    assert_int_equal(ran.r.status, SIGTERM);
    /* a program that has closed its outputs has not ended */
    run_script("exec >&- 2>&-; exec sleep 100", (struct proc_run){.deadline = clock_ms() + 100}, &stubborn);
    assert_int_equal(stubborn.e.code, ERR_UNREACHABLE);
}

static void owner(void **state)
{
    static const char *const scripts[] = {"exec sleep 100", "exec >&- 2>&-; exec sleep 100"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        AUTO_RAN(ran);
        AUTO_PIPE(owner_pipe);
        assert_int_equal(fd_pipe(owner_pipe, &ran.e), 0);
        fd_close_cleanup(&owner_pipe[1]);
        run_script(scripts[i], (struct proc_run){.owner = owner_pipe[0]}, &ran);
        assert_int_equal(ran.result, -1);
        assert_int_equal(ran.e.code, ERR_LOGIN);
        assert_int_equal(ran.r.status, SIGTERM);
    }
}

/* A process that the program has started, such as an agent, may keep its outputs open: proc_capture() waits
 * only for the program itself. */
static void grandchild(void **state)
{
    AUTO_RAN(ran);
    int64_t before = clock_ms();

    (void)state;
    run_script("sleep 30 & echo $!", (struct proc_run){0}, &ran);
    assert_int_equal(ran.result, 0);
    assert_true(clock_ms() - before < LONG_MS);
    pid_t left = (pid_t)strtol(secret_bytes(ran.r.out), NULL, 10);
    assert_true(left > 1 && kill(left, SIGKILL) == 0);
}

static void cannot_start(void **state)
{
    static const struct {
        const char *path, *msg;
        enum err_code code;
    } cases[] = {
        {"/nonexistent/program", "/nonexistent/program: No such file or directory", ERR_NOT_FOUND},
        {"/etc/passwd", "/etc/passwd: Permission denied", ERR_NOT_RUNNABLE},
        {"/etc", "/etc: Permission denied", ERR_NOT_RUNNABLE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_RAN(ran);
        AUTO_FREE(char *, path);
        path = mem_strdup(cases[i].path);
        char *argv[] = {path, NULL};
        run_program(argv, (struct proc_run){0}, &ran);
        assert_int_equal(ran.result, -1);
        assert_int_equal(ran.e.code, cases[i].code);
        assert_string_equal(ran.e.msg, cases[i].msg);
        struct err e = ERR_INIT;
        assert_int_equal(proc_exec(argv, NULL, &e), -1);
        assert_int_equal(e.code, cases[i].code);
    }
}

/* A program inherits stdin, stdout, stderr and keep_fd, and no other descriptor. */
static void descriptors(void **state)
{
    AUTO_RAN(without);
    AUTO_RAN(with);
    AUTO_SECRET(text);
    AUTO_FREE(char *, script);
    AUTO_FD(fd);
    AUTO_FD(other);
    struct err e = ERR_INIT;

    (void)state;
    text = secret_from("content", 7);
    other = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int fds[2];
    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(fd_write_all(fds[1], secret_bytes(text), 7), 0);
    (void)close(fds[1]);
    fd = fds[0];
    script = mem_printf("[ -e /dev/fd/%d ] && echo other; cat /dev/fd/%d 2>&- || echo none", other, fd);
    run_script(script, (struct proc_run){0}, &without);
    assert_string_equal(secret_bytes(without.r.out), "none\n");
    run_script(script, (struct proc_run){.keep_fd = fd}, &with);
    assert_string_equal(secret_bytes(with.r.out), "content");
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* here it is still close-on-exec */
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int start_helper(void)
{
    int to = -1, from = -1;
    struct err e = ERR_INIT;
    pid_t pid;
    int started = proc_spawn_helper("/bin/cat", NULL, &to, &from, &pid, &e);

    if (started < 0)
        return -1;
    assert_int_equal(close(to), 0);
    assert_int_equal(close(from), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return 0;
}

static int capture_with_input(void)
{
    AUTO_RAN(ran);
    AUTO_SECRET(input);

    input = secret_from("x", 1);
    run_script("cat", (struct proc_run){.input = input}, &ran);
    return ran.result;
}

/* Wherever the descriptor limit is reached, the descriptors that were opened before are closed again. */
static void no_descriptor_leaks(void **state)
{
    static int (*const starts[])(void) = {capture_with_input, start_helper};
    int before = open_descriptors();
    struct rlimit limit, most;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        int failed = 0, result = -1;
        for (int more = 0; result < 0 && more < 16; more++) {
            most = (struct rlimit){.rlim_cur = (rlim_t)(before + more), .rlim_max = limit.rlim_max};
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &most), 0);
            result = starts[i]();
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
            assert_int_equal(open_descriptors(), before);
            failed += result < 0;
        }
        assert_int_equal(result, 0);
        assert_true(failed > 3);
    }
}

/* A program gets the umask, limits and signals that we were started with, not those of proc_harden(). */
static void inherited(void **state)
{
    AUTO_RAN(ran);
    struct rlimit core;

    (void)state;
    (void)umask(027);
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    proc_harden();
    assert_int_equal(umask(077), 077);
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    struct sigaction pipe;
    (void)sigaction(SIGPIPE, NULL, &pipe);
    assert_true(pipe.sa_handler == SIG_IGN);
    run_script("umask; grep SigIgn /proc/self/status", (struct proc_run){0}, &ran);
    assert_true(text_starts(secret_bytes(ran.r.out), "0027\n"));
    const char *ignored = strstr(secret_bytes(ran.r.out), "SigIgn:");
    assert_non_null(ignored);
    assert_int_equal(strtoul(ignored + 7, NULL, 16) & (1UL << (SIGPIPE - 1)), 0);
}

static void environment(void **state)
{
    AUTO_SECRET(secret);
    AUTO_RAN(ran);
    struct env_changes env = {0};

    (void)state;
    assert_int_equal(setenv("KEPT", "kept", 1), 0);
    assert_int_equal(setenv("CHANGED", "old", 1), 0);
    assert_int_equal(setenv("CHANGED_NOT", "same", 1), 0); /* only the start of the name is the same */
    assert_int_equal(setenv("GONE", "old", 1), 0);
    secret = secret_from("p w", 3);
    env_set(&env, "CHANGED", "first");
    env_set(&env, "CHANGED", "new=1");
    env_set_secret(&env, "SECRET", secret);
    env_unset(&env, "GONE");
    env_set(&env, "NOT_SET", NULL);
    env_set(&env, "EMPTY", "");
    run_script("echo $KEPT,$CHANGED,$CHANGED_NOT,${GONE-gone},$SECRET,${NOT_SET-none},${EMPTY-none}; env | "
               "grep -c CHANGED=",
               (struct proc_run){.env = &env}, &ran);
    env_release(&env);
    assert_string_equal(secret_bytes(ran.r.out), "kept,new=1,same,gone,p w,none,\n1\n");
    assert_string_equal(getenv("GONE"), "old"); /* our own environment does not change */
    assert_null(getenv("SECRET"));
}

static void finding(void **state)
{
    AUTO_FREE(char *, shell);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, first);

    (void)state;
    assert_int_equal(setenv("PATH", "/nonexistent:/etc:/bin", 1), 0);
    shell = proc_find("sh");
    assert_string_equal(shell, "/bin/sh");
    path = proc_find("/bin/sh");
    assert_string_equal(path, "/bin/sh");
    assert_null(proc_find("no-such-program"));
    assert_null(proc_find("fstab")); /* /etc/fstab is not executable */
    assert_null(proc_find("/etc"));
    assert_null(proc_find("/etc/passwd"));
    assert_int_equal(chdir("/bin"), 0);
    assert_int_equal(setenv("PATH", ":/usr/bin", 1), 0);
    first = proc_find("sh");
    assert_string_equal(first, "./sh");
    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
}

static void statuses(void **state)
{
    AUTO_BUF(text, 256);

    (void)state;
    proc_describe_status(&text, 3 << 8);
    buf_putc(&text, ' ');
    proc_describe_status(&text, SIGTERM);
    buf_putc(&text, ' ');
    proc_describe_status(&text, SIGSEGV | 0x80);
    assert_string_equal(buf_str(&text), "exit status 3 killed by SIGTERM killed by SIGSEGV");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs),         cmocka_unit_test(large_input_and_output),
        cmocka_unit_test(too_much_output), cmocka_unit_test(stderr_tail),
        cmocka_unit_test(deadline),        cmocka_unit_test(owner),
        cmocka_unit_test(grandchild),      cmocka_unit_test(cannot_start),
        cmocka_unit_test(descriptors),     cmocka_unit_test(inherited),
        cmocka_unit_test(environment),     cmocka_unit_test(finding),
        cmocka_unit_test(statuses),        cmocka_unit_test(no_descriptor_leaks),
    };

    /* As in every main(). It ignores SIGPIPE, which we get if a program does not read its input. */
    proc_harden();
    return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
