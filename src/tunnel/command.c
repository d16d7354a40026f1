/* SPDX-License-Identifier: MIT */
/*
 * A tunnel that is the user's own program (`aws ssm start-session`, `kubectl port-forward`): the program
 * listens at a local address, which is dialled. If it has died, the next connection starts it again, but not
 * within the back-off pause; a connection during the pause gets the reason at once.
 */
#include <stdlib.h>
#include <string.h>

#include <base/buf.h>
#include <base/log.h>
#include <base/mem.h>
#include <tunnel/restart.h>

#include "program.h"
#include "dial_stream.h"

/* A dial that waits for the program. */
struct waiting {
    struct dial *dial;
    struct waiting *next;
};

static struct {
    const struct target *target;
    void (*opened)(const struct err *e);
    enum { DOWN, STARTING, UP } state;
    struct waiting *first, **last;
    struct restart restart;
} command = {.last = &command.first};

static void serve(struct dial *d)
{
    const struct program_end *end = program_local_end();

    stream_dial(d, command.target, end->path, end->host, end->port,
                "run the tunnel's command by hand: does it serve what it listens for?");
}

static void tell_opened(const struct err *e)
{
    void (*opened)(const struct err *) = command.opened;

    command.opened = NULL;
    if (opened)
        opened(e);
}

static void settled(const struct err *e)
{
    struct waiting *w;

    command.state = e ? DOWN : UP;
    if (e)
        err_copy(&command.restart.why, e);
    if (e && command.target->ready)
        log_warn(NULL, "%s", e->msg);
    tell_opened(e);
    while ((w = command.first)) {
        struct dial *d = w->dial;
        command.first = w->next;
        if (!command.first)
            command.last = &command.first;
        free(w);
        d->state = NULL;
        if (e)
            d->done(d, -1, e);
        else
            serve(d);
    }
}

static void lost(const struct err *e)
{
    command.state = DOWN;
    restart_lost(&command.restart, e);
}

static void start(void)
{
    command.state = STARTING;
    restart_pause(&command.restart);
    program_start(settled, lost);
}

static void command_open(const struct target *target, void (*opened)(const struct err *e))
{
    struct err e = ERR_INIT;

    command.target = target;
    command.opened = opened;
    if (program_prepare(target, &e) < 0)
        tell_opened(&e);
    else
        start();
}

static void command_dial(struct dial *d)
{
    struct err e = ERR_INIT;

    if (command.state == UP) {
        serve(d);
        return;
    }
    if (command.state == DOWN && restart_waits(&command.restart, &e)) {
        d->done(d, -1, &e);
        return;
    }
    struct waiting *w = mem_alloc(1, sizeof *w);
    w->dial = d;
    d->state = w;
    *command.last = w;
    command.last = &w->next;
    if (command.state == DOWN)
        start();
}

static void command_undial(struct dial *d)
{
    struct waiting **at = &command.first;

    while (*at && (*at)->dial != d)
        at = &(*at)->next;
    if (!*at) {
        stream_undial(d);
        return;
    }
    struct waiting *w = *at;
    *at = w->next;
    if (command.last == &w->next)
        command.last = at;
    d->state = NULL;
    free(w);
}

static bool command_is_up(void)
{
    return command.state == UP;
}

static void command_describe(struct buf *out)
{
    const struct program_end *end = program_local_end();

    buf_printf(out, "command %s", program_name());
    if (end->path)
        buf_printf(out, ", %s", end->path);
    else if (end->host) {
        buf_puts(out, ", ");
        text_address(out, end->host, end->port);
    }
}

const struct tunnel_kind tunnel_command = {.name = "command",
                                           .open = command_open,
                                           .dial = command_dial,
                                           .undial = command_undial,
                                           .is_up = command_is_up,
                                           .describe = command_describe,
                                           .close = program_stop};
