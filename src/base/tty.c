/* SPDX-License-Identifier: MIT */
/*
 * The terminal, except for its questions (tty_ask.c). Every change to it (echo off, a wait line) is undone on
 * every exit: a handler for the signals that end or stop us restores the terminal, then lets the signal take
 * effect.
 */
#include <base/tty.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#include "tty_guard.h"

#define ERASE_LINE "\r\033[K"
#define ELLIPSIS "..."

static const char *input_forbidden; /* what forbids questions (an option or variable); NULL: allowed */

/* The changes to the terminal that the signal handler must undo. */
static struct {
    int fd;
    volatile sig_atomic_t echo_off, line_shown, guarded;
    const char *volatile question; /* shown again after the process was stopped; NULL: no question is open */
    struct termios was, quiet;
} guard = {.fd = -1};

static const int guarded_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

static void guard_restore(void)
{
    if (guard.echo_off)
        (void)tcsetattr(guard.fd, TCSAFLUSH, &guard.was);
    if (guard.line_shown)
        (void)!write(guard.fd, ERASE_LINE, sizeof ERASE_LINE - 1);
    guard.line_shown = 0;
}

static void guard_handle(int sig)
{
    int saved = errno;
    struct sigaction again, plain = {.sa_handler = SIG_DFL};
    sigset_t only;

    guard_restore();
    (void)sigaction(sig, &plain, &again);
    (void)sigemptyset(&only);
    (void)sigaddset(&only, sig);
    (void)sigprocmask(SIG_UNBLOCK, &only, NULL);
    (void)raise(sig);
    /* Only after a stop signal does execution continue here. */
    (void)sigaction(sig, &again, NULL);
    if (guard.echo_off)
        (void)tcsetattr(guard.fd, TCSAFLUSH, &guard.quiet);
    if (guard.question)
        (void)!write(guard.fd, guard.question, strlen(guard.question));
    errno = saved;
}

int tty_guard_open(void)
{
    if (guard.fd < 0)
        guard.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (guard.fd < 0 || guard.guarded)
        return guard.fd;
    for (size_t i = 0; i < ARRAY_LEN(guarded_signals); i++) {
        struct sigaction was, handle = {.sa_handler = guard_handle, .sa_flags = SA_RESTART};
        if (sigaction(guarded_signals[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL)
            (void)sigaction(guarded_signals[i], &handle, NULL);
    }
    (void)atexit(guard_restore);
    guard.guarded = 1;
    return guard.fd;
}

void tty_forbid_input(const char *by)
{
    input_forbidden = by;
}

bool tty_input_forbidden(void)
{
    return input_forbidden;
}

bool tty_present(void)
{
    AUTO_FD(fd);

    fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    return fd >= 0;
}

int tty_open_input(void)
{
    return input_forbidden ? -1 : open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

void tty_show(const char *text, size_t n)
{
    AUTO_BUF(clean, 16384);

    text_sanitise(&clean, text, n);
    if (tty_guard_open() >= 0)
        (void)fd_write_all(guard.fd, buf_str(&clean), clean.len);
}

bool tty_has_display(void)
{
    const char *x11 = secure_getenv("DISPLAY"), *wayland = secure_getenv("WAYLAND_DISPLAY");

    return (x11 && *x11) || (wayland && *wayland);
}

const char *tty_askpass_program(void)
{
    const char *ours = secure_getenv("BROKER_ASKPASS"), *ssh = secure_getenv("SSH_ASKPASS");

    if (ours && *ours)
        return ours;
    return ssh && *ssh && tty_has_display() ? ssh : NULL;
}

bool tty_can_ask(void)
{
    return !input_forbidden && (tty_present() || tty_askpass_program());
}

/* Returns true if questions are forbidden. */
static bool forbids(void)
{
    return input_forbidden && (tty_present() || tty_askpass_program());
}

const char *tty_why_not(void)
{
    static char words[64];

    if (!forbids())
        return "no terminal to ask on";
    (void)snprintf(words, sizeof words, "%s forbids asking", input_forbidden);
    return words;
}

const char *tty_way_out(void)
{
    static char words[64];

    if (!forbids())
        return "run it on a terminal, or set BROKER_ASKPASS";
    if (strchr(input_forbidden, ' '))
        return "another broker process is asking";
    (void)snprintf(words, sizeof words, "%s %s, and it asks", *input_forbidden == '-' ? "leave out" : "unset",
                   input_forbidden);
    return words;
}

/* Called before the question is shown, because the user may type as soon as it appears and the input must not
 * be echoed. */
void tty_guard_hush(tcflag_t flags)
{
    if (guard.echo_off || tcgetattr(guard.fd, &guard.was) < 0)
        return;
    guard.quiet = guard.was;
    guard.quiet.c_lflag &= ~flags;
    guard.echo_off = 1;
    (void)tcsetattr(guard.fd, TCSAFLUSH, &guard.quiet);
}

void tty_guard_restore(void)
{
    if (guard.echo_off)
        (void)tcsetattr(guard.fd, TCSAFLUSH, &guard.was);
    guard.echo_off = 0;
}

void tty_guard_ask(const char *question)
{
    guard.question = question;
    (void)fd_write_all(guard.fd, question, strlen(question));
}

void tty_guard_speak(void)
{
    guard.question = NULL;
    if (!guard.echo_off)
        return;
    tty_guard_restore();
    (void)fd_write_all(guard.fd, "\n", 1);
}

void tty_wait_begin(struct tty_wait *w, const char *what, int64_t deadline)
{
    *w = (struct tty_wait){.what = what, .start = clock_ms(), .deadline = deadline, .shown = -1};
    w->most = deadline == CLOCK_NEVER ? CLOCK_NEVER : deadline - w->start;
}

int tty_wait_left(const struct tty_wait *w)
{
    int left = clock_left(w->deadline);
    int64_t next = w->start + (w->shown < 0 ? 1 : w->shown + 1) * 1000;

    if (!w->what)
        return left;
    return clock_left(next) < left ? clock_left(next) : left;
}

/* Appends the row of a wait, cut to the terminal's columns, because a line that wraps cannot be erased. */
static void put_row(struct buf *out, const char *what, const char *time)
{
    struct winsize size = {0};
    size_t most = SIZE_MAX, end = strlen(ELLIPSIS) + strlen(time), used;
    AUTO_BUF(row, 2048);

    if (ioctl(guard.fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        most = size.ws_col - 1U;
    if (text_columns(what) + strlen(time) <= most)
        buf_printf(&row, "%s%s", what, time);
    else
        buf_printf(&row, "%.*s" ELLIPSIS "%s", (int)text_fit(what, most > end ? most - end : 0, &used), what,
                   time);
    buf_add(out, buf_str(&row), text_fit(buf_str(&row), most, &used));
}

void tty_wait_tick(struct tty_wait *w)
{
    int64_t seconds = (clock_ms() - w->start) / 1000;
    const char *term = secure_getenv("TERM");
    bool dumb = !term || text_equal(term, "dumb");
    AUTO_BUF(what, 1024);
    AUTO_BUF(time, 64);
    AUTO_BUF(line, 2048);

    if (!w->what || seconds < 1 || seconds <= w->shown || !isatty(STDERR_FILENO) || (dumb && w->shown >= 0) ||
        tty_guard_open() < 0)
        return;
    w->shown = seconds;
    buf_puts(&what, "waiting for ");
    text_sanitise_line(&what, w->what, strlen(w->what));
    if (w->most != CLOCK_NEVER)
        buf_printf(&time, " (%llds of %llds)", (long long)seconds, (long long)(w->most + 500) / 1000);
    else
        buf_printf(&time, " (%llds)", (long long)seconds);
    buf_puts(&line, dumb ? buf_str(&what) : ERASE_LINE);
    if (dumb)
        buf_putc(&line, '\n');
    else
        put_row(&line, buf_str(&what), buf_str(&time));
    /* line_shown is set before the write, because a signal that arrives once the line is visible must erase
     * it. It is checked afterwards, because a stop signal may have erased the line. */
    guard.line_shown = !dumb;
    (void)fd_write_all(guard.fd, buf_str(&line), line.len);
    guard.line_shown = !dumb;
}

bool tty_wait_nap(struct tty_wait *w, int64_t ms)
{
    int64_t until = clock_deadline(ms, w->deadline);

    while (clock_left(until) > 0) {
        int left = tty_wait_left(w);
        (void)poll(NULL, 0, left < clock_left(until) ? left : clock_left(until));
        tty_wait_tick(w);
    }
    return clock_left(w->deadline) > 0;
}

void tty_wait_end(struct tty_wait *w)
{
    if (w->shown >= 0)
        guard_restore();
    w->shown = -1;
}

bool tty_wait_readable(int fd, const char *what, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct tty_wait wait;

    tty_wait_begin(&wait, what, deadline);
    while (poll(&p, 1, tty_wait_left(&wait)) <= 0 && clock_left(deadline) > 0)
        tty_wait_tick(&wait);
    tty_wait_end(&wait);
    return p.revents;
}
