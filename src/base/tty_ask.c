/* SPDX-License-Identifier: MIT */
/* Questions to the user, on the terminal or by an askpass program. Other output on the terminal is in tty.c.
 * */
#include <base/tty.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>

#include "tty_guard.h"

#define ANSWER_MAX 4096

/* When an open question ends: its deadline, and the descriptor of the process that asked. */
static struct {
    int64_t deadline;
    int fd;
} patience = {.deadline = CLOCK_NEVER, .fd = -1};

static int ask_program(const char *program, const char *prompt, struct secret **out, struct err *e)
{
    AUTO_PROC_RESULT(result);
    AUTO_FREE(char *, path);

    path = proc_find(program);
    if (!path)
        return err_set(e, ERR_LOGIN, "%s: no such askpass program", program);
    char *argv[] = {path, (char *)(uintptr_t)prompt, NULL};
    struct proc_run run = {
        .argv = argv, .deadline = patience.deadline, .owner = patience.fd, .max = ANSWER_MAX};
    if (proc_capture(&run, &result, e) < 0)
        return -1;
    if (result.status != 0)
        return err_set(e, ERR_LOGIN, "%s did not answer", program);
    secret_keep_line(result.out);
    *out = result.out;
    result.out = NULL;
    return 0;
}

void tty_questions_end(int64_t deadline, int fd)
{
    patience.deadline = deadline;
    patience.fd = fd;
}

/* Waits until the terminal is readable, which is when a whole line has been typed. */
static int wait_for_answer(int tty, struct err *e)
{
    struct pollfd p[] = {{.fd = tty, .events = POLLIN}, {.fd = patience.fd, .events = POLLIN}};

    while (poll(p, ARRAY_LEN(p), clock_left(patience.deadline)) <= 0) {
        if (clock_left(patience.deadline) == 0)
            return err_set(e, ERR_LOGIN, "no answer in time");
    }
    return p[0].revents ? 0 : err_set(e, ERR_LOGIN, "cancelled: the caller is gone");
}

static int ask_terminal(const char *prompt, bool echo, struct secret **out, struct err *e)
{
    AUTO_SECRET(answer);
    AUTO_BUF(clean, 65536);
    int fd = tty_guard_open();

    if (!echo)
        tty_guard_hush(ECHO | ECHONL);
    text_sanitise(&clean, prompt, strlen(prompt));
    tty_guard_ask(buf_str(&clean));
    int got = wait_for_answer(fd, e);
    if (got == 0)
        got = secret_read_fd(fd, ANSWER_MAX, true, &answer, e);
    else if (echo)
        (void)fd_write_all(fd, "\n", 1);
    tty_guard_speak();
    if (got < 0)
        return -1;
    if (secret_len(answer) == 0) {
        (void)fd_write_all(fd, "\n", echo ? 1 : 0);
        (void)err_set(e, ERR_LOGIN, "cancelled");
        return err_hint(e, "Ctrl-D ends a question; an empty answer is Enter alone");
    }
    secret_chomp(answer);
    *out = answer;
    answer = NULL;
    return 0;
}

int tty_ask_secret(const char *prompt, struct secret **out, struct err *e)
{
    const char *program = tty_askpass_program();

    if (!tty_input_forbidden() && tty_present())
        return ask_terminal(prompt, false, out, e);
    if (!tty_input_forbidden() && program)
        return ask_program(program, prompt, out, e);
    return err_set(e, ERR_LOGIN, "%s", tty_why_not());
}

int tty_ask_line(const char *prompt, char **out, struct err *e)
{
    AUTO_SECRET(answer);

    if (tty_input_forbidden() || !tty_present())
        return err_set(e, ERR_LOGIN, "%s", tty_why_not());
    if (ask_terminal(prompt, true, &answer, e) < 0)
        return -1;
    const char *s = secret_bytes(answer);
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n && strchr(" \t", s[n - 1]))
        n--;
    *out = mem_strndup(s, n);
    return 0;
}

bool tty_ask_yes(const char *prompt)
{
    AUTO_FREE(char *, answer);
    struct err ignored = ERR_INIT;

    return tty_ask_line(prompt, &answer, &ignored) == 0 && (*answer == 'y' || *answer == 'Y');
}
