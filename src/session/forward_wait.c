/* SPDX-License-Identifier: MIT */
/*
 * Waits for forwards in the foreground. The keepers have no terminal and get none of its signals. broker gets
 * them, tells each keeper to end, and waits until it has. If broker dies, the keepers end by themselves,
 * because they watch it. Signals that were ignored when broker started stay ignored (nohup).
 */
#include <session/forward.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/tty.h>
#include <ipc/keeper.h>

/* Milliseconds. END_MS is added to the time for open connections: the tunnel's program gets SIGTERM, and
 * later SIGKILL. */
#define END_MS 10000
#define TELL_MS 1000

static volatile sig_atomic_t came;

static void note_signal(int sig)
{
    came = sig;
}

static const int ending[] = {SIGTERM, SIGINT, SIGHUP};

/* The signals are blocked except during the wait, so that none is lost between a check and the next wait. */
static struct {
    bool held;
    sigset_t open; /* the signal mask to use during the wait */
} signals;

void forward_hold_signals(void)
{
    struct sigaction note = {.sa_handler = note_signal}, was;
    sigset_t block;

    if (signals.held)
        return;
    (void)sigemptyset(&block);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
        if (sigaction(ending[i], NULL, &was) == 0 && was.sa_handler == SIG_IGN)
            continue;
        (void)sigaction(ending[i], &note, NULL);
        (void)sigaddset(&block, ending[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &block, &signals.open);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        (void)sigdelset(&signals.open, ending[i]);
    signals.held = true;
}

static int tell(const struct forward *f, uint8_t verb, struct err *e)
{
    AUTO_RECORD(what);

    what.kind = verb;
    if (f->channel < 0 || record_write(f->channel, &what, clock_deadline(TELL_MS, CLOCK_NEVER), e) == 0)
        return 0;
    return err_what(e, "%s", f->name);
}

/* Ends keepers. One that cannot be told to end, and has not ended, gets SIGTERM. */
static void stop_all(const struct forward *list, size_t count)
{
    struct err e = ERR_INIT;

    for (size_t i = 0; i < count; i++) {
        if (tell(&list[i], KEEPER_STOP, &e) < 0 && e.code != ERR_PROTOCOL && list[i].pid > 0)
            (void)kill((pid_t)list[i].pid, SIGTERM);
    }
}

/* Reads what a keeper sent: an OK, then end of file, if it ends normally. Errors of the keeper are passed on.
 */
static int hear(struct forward *f, struct err *e)
{
    AUTO_RECORD(said);
    struct err broken = ERR_INIT;
    int got = record_read(f->channel, &said, clock_deadline(TELL_MS, CLOCK_NEVER), &broken);

    if (got > 0 && said.kind == RECORD_OK) {
        f->up = false;
        return 0;
    }
    if (got > 0 && said.kind == RECORD_ERROR) {
        (void)record_error(&said, e);
        return err_what(e, "%s", f->name);
    }
    if (got > 0)
        return 0;
    fd_close_cleanup(&f->channel);
    if (!f->up)
        return 0;
    (void)err_set(e, ERR_UNREACHABLE, "its keeper was killed");
    (void)err_what(e, "%s", f->name);
    return err_hint(e, "start broker forward again; --log FILE keeps the log");
}

static size_t left_of(const struct forward *list, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += list[i].channel >= 0;
    return n;
}

/* Waits for one event, for at most `ms` (-1: no limit), and handles it. */
static int turn(struct forward *list, size_t count, int ms, struct err *e)
{
    struct pollfd *p = mem_alloc(count, sizeof *p);
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    int result = 0;

    for (size_t i = 0; i < count; i++)
        p[i] = (struct pollfd){.fd = list[i].channel, .events = POLLIN};
    int ready = ppoll(p, (nfds_t)count, ms < 0 ? NULL : &time, &signals.open);
    for (size_t i = 0; ready > 0 && result == 0 && i < count; i++) {
        if (p[i].revents)
            result = hear(&list[i], e);
    }
    free(p);
    return result;
}

/* Waits for keepers that have been told to end. A second signal means that the user does not want to wait. */
static void drain(struct forward *list, size_t count, int64_t deadline)
{
    struct err ignored = ERR_INIT;
    struct tty_wait wait;

    came = 0;
    tty_wait_begin(&wait, "open connections", deadline);
    while (left_of(list, count) && !came && clock_left(deadline) > 0) {
        (void)turn(list, count, tty_wait_left(&wait), &ignored);
        tty_wait_tick(&wait);
    }
    tty_wait_end(&wait);
}

int forward_wait(struct forward *list, size_t count, long drain_ms, int *ended_by, struct err *e)
{
    int result = 0;

    forward_hold_signals();
    while (left_of(list, count) && !came && result == 0)
        result = turn(list, count, -1, e);
    *ended_by = came;
    stop_all(list, count);
    drain(list, count, clock_deadline(drain_ms + END_MS, CLOCK_NEVER));
    return result;
}

void forward_end(struct forward *list, size_t count)
{
    forward_hold_signals();
    stop_all(list, count);
    drain(list, count, clock_deadline(END_MS, CLOCK_NEVER));
}

/* Tells one detached keeper to keep running. If it has ended, reads whether it was stopped or killed. */
static int let_stay(struct forward *f, struct err *e)
{
    int result = tell(f, KEEPER_STAY, e);

    if (result == 0 || e->code != ERR_PROTOCOL)
        return result;
    err_clear(e);
    for (result = 0; result == 0 && f->up && f->channel >= 0;)
        result = hear(f, e);
    return result;
}

int forward_let_go(struct forward *list, size_t count, struct err *e)
{
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++)
        result = let_stay(&list[i], e);
    if (result < 0)
        forward_end(list, count);
    for (size_t i = 0; i < count; i++)
        fd_close_cleanup(&list[i].channel);
    return result;
}
