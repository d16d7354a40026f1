/* SPDX-License-Identifier: MIT */
/*
 * Starts a helper at the first call, exchanges one request and answer at a time, and ends it. A helper that
 * violates the protocol or misses its deadline is ended, because its late answer would be taken for the
 * answer to the next request. Helpers are never searched for in PATH.
 */
#include <ipc/helper.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/tty.h>

#ifndef BROKER_LIBEXEC /* set by the Makefile; relative to the directory of the executable */
#define BROKER_LIBEXEC "../libexec/broker"
#endif
#define END_MS 500
#define END_NAP_MS 1

static struct helper *running;

char *helper_path(const char *name)
{
    AUTO_FREE(char *, here);

    here = proc_self_dir();
    return mem_printf("%s/" BROKER_LIBEXEC "/%s", here, name);
}

static int helper_start(struct helper *h, struct err *e)
{
    AUTO_FREE(char *, path);
    struct env_changes env = {0};
    pid_t pid;

    path = helper_path(h->name);
    if (h->sets)
        env_set(&env, h->sets, "1");
    int started = proc_spawn_helper(path, &env, &h->to, &h->from, &pid, e);
    env_release(&env);
    if (started < 0)
        return -1;
    h->pid = pid;
    h->next = running;
    running = h;
    return 0;
}

static void list_remove(struct helper *h)
{
    struct helper **at = &running;

    while (*at && *at != h)
        at = &(*at)->next;
    if (*at)
        *at = h->next;
    h->next = NULL;
}

/* Ends the helper. Returns its status as from waitpid(2), or -1 if it is not known (SIGCHLD is ignored) or
 * the helper was killed. */
static int helper_stop(struct helper *h)
{
    int64_t until = clock_ms() + END_MS;
    int status = -1;
    pid_t ended;

    if (h->pid <= 0)
        return -1;
    fd_close_cleanup(&h->to);
    fd_close_cleanup(&h->from);
    while ((ended = waitpid((pid_t)h->pid, &status, WNOHANG)) == 0 && clock_left(until) > 0)
        proc_await_end((pid_t)h->pid, END_NAP_MS);
    if (ended == 0) {
        (void)kill((pid_t)h->pid, SIGKILL);
        (void)waitpid((pid_t)h->pid, NULL, 0);
    }
    h->pid = 0;
    list_remove(h);
    return ended > 0 ? status : -1;
}

void helper_end(struct helper *h)
{
    (void)helper_stop(h);
}

void helper_end_all(void)
{
    while (running)
        helper_end(running);
}

static int read_answer(struct helper *h, struct record *answer, int64_t deadline, struct err *e)
{
    (void)tty_wait_readable(h->from, h->waiting_for, deadline);
    int got = record_read(h->from, answer, deadline, e);
    if (got == 0)
        return err_set(e, ERR_PROTOCOL, "exited without an answer");
    if (got > 0 && answer->kind != RECORD_OK && answer->kind != RECORD_ERROR)
        return err_set(e, ERR_PROTOCOL, "an answer of kind %d", answer->kind);
    return got < 0 ? -1 : 0;
}

/* Ends a helper that violated the protocol or is late, and completes the error. */
static int give_up(struct helper *h, struct err *e)
{
    AUTO_BUF(how, 64);
    int status = helper_stop(h);
    if (status > 0)
        proc_describe_status(&how, status);
    if (status > 0 && e->code == ERR_PROTOCOL) {
        (void)err_set(e, ERR_PROTOCOL, "%s ended: %s", h->name, buf_str(&how));
        return WIFSIGNALED(status) ? err_hint(e, "please report this, with the output of broker bugreport")
                                   : -1;
    }
    return err_prefix(e, "%s", h->name);
}

int helper_send(struct helper *h, const struct record *request, int64_t deadline, struct err *e)
{
    if (h->pid <= 0 && helper_start(h, e) < 0)
        return -1;
    return record_write(h->to, request, deadline, e) < 0 ? give_up(h, e) : 0;
}

int helper_receive(struct helper *h, struct record *answer, int64_t deadline, struct err *e)
{
    if (h->pid <= 0)
        return err_set(e, ERR_PROTOCOL, "%s does not run", h->name);
    if (read_answer(h, answer, deadline, e) < 0)
        return give_up(h, e);
    return answer->kind == RECORD_ERROR ? record_error(answer, e) : 0;
}

int helper_call(struct helper *h, const struct record *request, struct record *answer, int64_t deadline,
                struct err *e)
{
    return helper_send(h, request, deadline, e) < 0 ? -1 : helper_receive(h, answer, deadline, e);
}

/* Returns a new descriptor for answers and connects stdout to /dev/null, because text that a library prints
 * to stdout would be taken for a record. */
static int answers_fd(void)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    AUTO_FD(null);

    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && null >= 0)
        (void)dup2(null, STDOUT_FILENO);
    return fd;
}

bool helper_lists_libraries(int argc, char *const *argv, const char *const *rows)
{
    AUTO_BUF(text, 1024);
    AUTO_FD(out);

    if (argc != 2 || !text_equal(argv[1], HELPER_LIBRARIES))
        return false;
    for (; rows[0]; rows += 2)
        buf_printf(&text, "%s %s\n", rows[0], rows[1]);
    out = answers_fd();
    (void)fd_write_all(out, buf_str(&text), text.len);
    return true;
}

int helper_serve(helper_handler *handle, void (*settle)(void))
{
    struct err e = ERR_INIT;
    AUTO_FD(out);

    out = answers_fd();
    for (;;) {
        AUTO_RECORD(request);
        AUTO_RECORD(answer);
        int got = record_read(STDIN_FILENO, &request, CLOCK_NEVER, &e);
        if (got <= 0)
            return got;
        err_clear(&e);
        answer.kind = RECORD_OK;
        if (handle(&request, &answer, &e) < 0)
            record_put_error(&answer, &e);
        if (record_write(out, &answer, CLOCK_NEVER, &e) < 0)
            return -1;
        if (settle)
            settle();
    }
}
