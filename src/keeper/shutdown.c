/* SPDX-License-Identifier: MIT */
/*
 * Ends the keeper: when the process that it serves has ended, on a signal, or on request. In each case
 * connections, tunnel, children and sockets are ended first; after kill -9 the guard does that.
 */
#include "shutdown.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <event/child.h>
#include <event/guard.h>
#include <event/loop.h>

#include "conn.h"
#include "control_channel.h"
#include "credential.h"
#include "listeners.h"
#include "options.h"
#include "status_socket.h"
#include "tunnels.h"

static struct watch lives_for = {.fd = -1}, signalled = {.fd = -1};
static struct timer drained;
static int signal_pipe[2] = {-1, -1}, died_of;
static bool stopping;

void shutdown_now(int status)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    listeners_close();
    conn_end_all();
    tunnel_close();
    credential_end();
    child_end_all();
    guard_remove_paths();
    if (stopping)
        control_ended();
    if (died_of) {
        (void)sigaction(died_of, &plain, NULL);
        (void)raise(died_of);
    }
    _exit(status);
}

static void drain_over(struct timer *t)
{
    (void)t;
    shutdown_now(0);
}

static void one_less(void)
{
    if (conn_count() == 0)
        timer_set(&drained, clock_ms(), drain_over);
}

void shutdown_begin(void)
{
    if (stopping)
        return;
    stopping = true;
    listeners_close();
    status_close();
    conn_on_end = one_less;
    timer_set(&drained, clock_ms() + (conn_count() ? opt.drain : 0), drain_over);
}

static void owner_ended(struct watch *w, unsigned events)
{
    (void)w;
    (void)events;
    shutdown_now(0);
}

bool shutdown_has_owner(void)
{
    return lives_for.fd >= 0;
}

static void on_signal(int number)
{
    int saved = errno;
    char byte = (char)number;

    (void)!write(signal_pipe[1], &byte, 1);
    errno = saved;
}

/* A second signal ends the keeper without draining connections. */
static void signal_came(struct watch *w, unsigned events)
{
    char byte;

    (void)events;
    if (read(w->fd, &byte, 1) != 1)
        return;
    if (stopping)
        shutdown_now(0);
    died_of = byte;
    shutdown_begin();
}

bool shutdown_wait(int fd, int64_t deadline)
{
    enum { WANTED, SIGNAL, OWNER, WATCHED };
    struct pollfd p[WATCHED] = {[WANTED] = {.fd = fd, .events = POLLIN},
                                [SIGNAL] = {.fd = signalled.fd, .events = POLLIN},
                                [OWNER] = {.fd = lives_for.fd, .events = POLLIN}};

    while (poll(p, WATCHED, clock_left(deadline)) <= 0) {
        if (clock_left(deadline) == 0)
            return false;
    }
    if (p[SIGNAL].revents)
        signal_came(&signalled, LOOP_READ);
    if (stopping || p[OWNER].revents)
        shutdown_now(0);
    return true;
}

void shutdown_watch(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    struct err e = ERR_INIT;
    const int ends[] = {SIGTERM, SIGINT, SIGHUP};

    if (fcntl(KEEPER_LIVES_FOR_FD, F_GETFD) >= 0)
        loop_watch(&lives_for, KEEPER_LIVES_FOR_FD, LOOP_READ, owner_ended);
    if (fd_pipe(signal_pipe, &e) < 0)
        shutdown_now((int)e.code);
    (void)fcntl(signal_pipe[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
    loop_watch(&signalled, signal_pipe[0], LOOP_READ, signal_came);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        (void)sigaction(ends[i], &act, NULL);
}
