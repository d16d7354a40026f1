/* SPDX-License-Identifier: MIT */
/*
 * Detects a server that accepts but sends nothing, while broker shows what it waits for and before the client
 * is started; later connections have the same limit (conn.c, mysql/login_proxy.c).
 */
#include "first.h"

#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <event/loop.h>
#include <event/wire.h>

#include "options.h"
#include "tunnels.h"

static struct {
    struct dial dial;
    struct watch stream;
    struct timer late;
    int64_t deadline;
    int fd;
    void (*done)(const struct err *e);
} first = {.stream = {.fd = -1}, .fd = -1};

static void greeting_is_late(struct timer *t)
{
    struct err e = ERR_INIT;

    (void)t;
    loop_forget(&first.stream);
    (void)login_silent(&opt.login, &e);
    first.done(&e);
}

static void is_heard(struct watch *w, unsigned events)
{
    (void)events;
    loop_forget(w);
    timer_clear(&first.late);
    first.done(NULL);
}

static void dialled(struct dial *d, int fd, const struct err *e)
{
    (void)d;
    if (fd < 0) {
        first.done(e);
        return;
    }
    first.fd = fd;
    loop_watch(&first.stream, fd, LOOP_READ, is_heard);
    timer_set(&first.late, first.deadline, greeting_is_late);
}

void first_open(void (*done)(const struct err *e))
{
    first.done = done;
    first.deadline = clock_deadline(opt.target.connect_timeout, CLOCK_NEVER);
    first.dial.done = dialled;
    tunnel_dial(&first.dial);
}

int first_take(void)
{
    int fd = first.fd;

    first.fd = -1;
    if (fd >= 0 && !wire_is_alive(fd)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

void first_close(void)
{
    loop_forget(&first.stream);
    timer_clear(&first.late);
    fd_close_cleanup(&first.fd);
}
