/* SPDX-License-Identifier: MIT */
/*
 * Runs a program to its end and captures its output, with a deadline. The program stays in our process group:
 * Ctrl-C reaches it, and a program that asks on the terminal (pinentry) is not stopped as a background job.
 */
#include <base/proc.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/tty.h>

#include "platform.h"

#define STDERR_KEPT 4096
#define GRACE_MS 2000
#define SLICE_MS 50
#define REAP_NAP_MS 1
#define SILENT_MS 1000 /* show the program's stderr after this time */

struct captured {
    pid_t pid;
    int in, out, err;
    bool asks, shows; /* asks: it may use the terminal; shows: its stderr is being shown there */
};

void proc_result_release(struct proc_result *r)
{
    secret_free(r->out);
    r->out = NULL;
    buf_release(&r->err);
}

/* Turns the forked child into the program. Until execve it makes only async-signal-safe calls. If it fails,
 * it writes errno to the pipe `report`. */
_Noreturn static void child_become(const struct proc_run *run, pid_t parent, char **env, const int fds[3],
                                   int report)
{
    platform_end_with(parent);
    if (fds[0] >= 0)
        (void)dup2(fds[0], 0);
    (void)dup2(fds[1], 1);
    if (fds[2] >= 0)
        (void)dup2(fds[2], 2);
    if (run && run->keep_fd > 0)
        (void)fcntl(run->keep_fd, F_SETFD, 0);
    proc_restore();
    (void)execve(run->argv[0], run->argv, env);
    int failed = errno;
    (void)!write(report, &failed, sizeof failed);
    _exit(127);
}

/* Forks and waits until the exec has succeeded or failed, so that a program that cannot be started is
 * reported as an error and not as an exit status. */
static int child_start(const struct proc_run *run, const int fds[3], pid_t *pid, struct err *e)
{
    int report[2], failed = 0;

    if (fd_pipe(report, e) < 0)
        return -1;
    char **env = env_build(run->env);
    pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0)
        child_become(run, parent, env, fds, report[1]);
    env_free(env);
    (void)close(report[1]);
    ssize_t n = 0;
    while (*pid > 0 && (n = read(report[0], &failed, sizeof failed)) < 0 && errno == EINTR)
        ;
    (void)close(report[0]);
    if (*pid < 0)
        return err_set(e, ERR_TRY_LATER, "cannot start a process: %s", strerror(errno));
    if (n <= 0)
        return 0;
    (void)waitpid(*pid, NULL, 0);
    return err_set(e, failed == ENOENT ? ERR_NOT_FOUND : ERR_NOT_RUNNABLE, "%s: %s", run->argv[0],
                   strerror(failed));
}

/* Ends a program: SIGTERM, then SIGKILL after the grace period. */
static void child_end(pid_t pid, int *status)
{
    int64_t until = clock_ms() + GRACE_MS;

    (void)kill(pid, SIGTERM);
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (clock_left(until) == 0)
            (void)kill(pid, SIGKILL);
        proc_await_end(pid, REAP_NAP_MS);
    }
}

/* Appends to `kept` and drops all but the last STDERR_KEPT bytes. */
static void keep_stderr(struct buf *kept, const char *bytes, size_t n)
{
    AUTO_BUF(tail, 2 * STDERR_KEPT);

    if (kept->len + n > STDERR_KEPT) {
        size_t drop = kept->len + n - STDERR_KEPT;
        size_t old = drop < kept->len ? drop : kept->len;
        buf_add(&tail, buf_str(kept) + old, kept->len - old);
        buf_clear(kept);
        buf_add(kept, buf_str(&tail), tail.len);
    }
    buf_add(kept, bytes, n);
}

/* Reads some of the program's stdout. Returns 1 if more may come, 0 at end of file, -1 if it is over the
 * bound. */
static int pump_out(int fd, struct secret *out)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof chunk);
    int result = 1;

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return 0;
    if (n > 0)
        result = secret_add(out, chunk, (size_t)n) < 0 ? -1 : 1;
    explicit_bzero(chunk, sizeof chunk);
    return result;
}

static void pump_err(struct captured *c, struct buf *err)
{
    char chunk[4096];
    ssize_t n = read(c->err, chunk, sizeof chunk);

    if (n > 0)
        keep_stderr(err, chunk, (size_t)n);
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        fd_close_cleanup(&c->err);
    if (n > 0 && c->shows)
        tty_show(chunk, (size_t)n);
}

/* Removes the wait line and shows the program's stderr from now on. */
static void show_stderr(struct captured *c, const struct buf *err, struct tty_wait *wait)
{
    if (!c->asks || c->shows || !err->len || clock_ms() < wait->start + SILENT_MS)
        return;
    tty_wait_end(wait);
    wait->what = NULL;
    tty_show(buf_str(err), err->len);
    c->shows = true;
}

static void pump_in(int *fd, const struct secret *input, size_t *sent)
{
    ssize_t n = write(*fd, secret_bytes(input) + *sent, secret_len(input) - *sent);

    if (n > 0)
        *sent += (size_t)n;
    if ((n < 0 && errno != EINTR && errno != EAGAIN) || *sent == secret_len(input))
        fd_close_cleanup(fd);
}

/* Returns 0 if the program may continue, -1 if its deadline has passed or the process that asked for it has
 * gone. */
static int go_on(const struct proc_run *run, struct err *e)
{
    struct pollfd owner = {.fd = run->owner, .events = POLLIN};

    if (run->owner > 0 && poll(&owner, 1, 0) > 0)
        return err_set(e, ERR_LOGIN, "cancelled: the caller is gone");
    if (clock_left(run->deadline) == 0)
        return err_set(e, ERR_UNREACHABLE, "%s did not end in time", run->argv[0]);
    return 0;
}

/* Writes the program's input and reads its output until stdout and stderr end. Also stops if the program has
 * ended, because a grandchild may keep them open. */
static int child_talk(const struct proc_run *run, struct captured *c, struct proc_result *r, bool *ended,
                      struct err *e)
{
    struct tty_wait wait;
    size_t sent = 0;
    int result = 0;

    tty_wait_begin(&wait, run->waiting_for, run->deadline);
    if (run->wait_ms)
        wait.most = run->wait_ms;
    while (result == 0 && (c->out >= 0 || c->err >= 0)) {
        struct pollfd fds[] = {{c->out, POLLIN, 0}, {c->err, POLLIN, 0}, {c->in, POLLOUT, 0}};
        int slice = tty_wait_left(&wait) < SLICE_MS ? tty_wait_left(&wait) : SLICE_MS;
        int ready = poll(fds, 3, *ended ? 0 : slice);
        if (fds[0].revents) {
            int more = pump_out(c->out, r->out);
            if (more < 0)
                result = err_set(e, ERR_DATA, "%s printed over %zu bytes", run->argv[0], run->max);
            else if (more == 0)
                fd_close_cleanup(&c->out);
        }
        if (fds[1].revents)
            pump_err(c, &r->err);
        if (fds[2].revents)
            pump_in(&c->in, run->input, &sent);
        if (ready == 0 && *ended)
            break;
        if (ready == 0)
            *ended = waitpid(c->pid, &r->status, WNOHANG) == c->pid;
        /* checked after each read, so that a program that never stops printing is ended too */
        if (result == 0 && (c->out >= 0 || c->err >= 0))
            result = go_on(run, e);
        show_stderr(c, &r->err, &wait);
        tty_wait_tick(&wait);
    }
    tty_wait_end(&wait);
    return result;
}

/* Waits for a child that has closed its outputs to end, and reaps it. */
static int child_reap(const struct proc_run *run, pid_t pid, int *status, struct err *e)
{
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (go_on(run, e) < 0) {
            child_end(pid, status);
            return -1;
        }
        proc_await_end(pid, REAP_NAP_MS);
    }
    return 0;
}

static void sanitise_in_place(struct buf *b)
{
    AUTO_BUF(clean, 8192);

    text_sanitise(&clean, buf_str(b), b->len);
    buf_clear(b);
    buf_add(b, buf_str(&clean), clean.len);
}

int proc_capture(const struct proc_run *run, struct proc_result *result, struct err *e)
{
    AUTO_FD(unasked);
    AUTO_PIPE(in);
    AUTO_PIPE(out);
    AUTO_PIPE(err);
    struct captured c = {.in = -1, .out = -1, .err = -1};
    bool ended = false;

    unasked = run->may_ask ? tty_open_input() : -1;
    c.asks = unasked >= 0;
    if (unasked < 0)
        unasked = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (unasked < 0 || fd_pipe(out, e) < 0 || fd_pipe(err, e) < 0 || (run->input && fd_pipe(in, e) < 0))
        return unasked < 0 ? err_set(e, ERR_IO, "/dev/null: %s", strerror(errno)) : -1;
    int fds[3] = {run->inherit_stdin ? -1 : run->input ? in[0] : unasked, out[1], err[1]};
    int started = child_start(run, fds, &c.pid, e);
    fd_close_cleanup(&in[0]);
    fd_close_cleanup(&out[1]);
    fd_close_cleanup(&err[1]);
    c.in = fd_take(&in[1]), c.out = fd_take(&out[0]), c.err = fd_take(&err[0]);
    if (started == 0) {
        result->out = secret_new(run->max);
        if (c.in >= 0)
            (void)fcntl(c.in, F_SETFL, O_NONBLOCK);
        started = child_talk(run, &c, result, &ended, e);
        if (!ended && started < 0)
            child_end(c.pid, &result->status);
        else if (!ended)
            started = child_reap(run, c.pid, &result->status, e);
    }
    fd_close_cleanup(&c.in);
    fd_close_cleanup(&c.out);
    fd_close_cleanup(&c.err);
    sanitise_in_place(&result->err);
    return started;
}

int proc_hint_by_hand(const char *must, struct err *e)
{
    if (!tty_input_forbidden() && tty_present())
        return err_hint(e, "run it by hand: %s", must);
    return err_hint(e, "run it by hand: %s; here it could not ask anything: %s", must, tty_why_not());
}

void proc_describe_status(struct buf *out, int status)
{
    if (WIFEXITED(status))
        buf_printf(out, "exit status %d", WEXITSTATUS(status));
    else
        buf_printf(out, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
}

int proc_spawn_helper(const char *path, const struct env_changes *env, int *to, int *from, pid_t *pid,
                      struct err *e)
{
    char *argv[] = {(char *)(uintptr_t)path, NULL};
    struct proc_run run = {.argv = argv, .env = env};
    AUTO_PIPE(in);
    AUTO_PIPE(out);

    if (fd_pipe(in, e) < 0 || fd_pipe(out, e) < 0)
        return -1;
    if (child_start(&run, (int[]){in[0], out[1], -1}, pid, e) < 0) {
        e->code = ERR_CONFIG;
        return err_hint(e, "install all of broker: make install");
    }
    *to = fd_take(&in[1]);
    *from = fd_take(&out[0]);
    return 0;
}
