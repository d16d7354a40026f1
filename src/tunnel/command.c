/* SPDX-License-Identifier: MIT */
/*
 * A tunnel made by the user's own program (`aws ssm start-session`, `kubectl port-forward`): the program
 * listens at a local address, which is dialled. If the program has ended, the next connection starts it
 * again, but not during the back-off pause; a connection during the pause gets the reason at once.
 */
#include <base/buf.h>
#include <event/loop.h>
#include <tunnel/service.h>

#include "program.h"
#include "dial_stream.h"

static struct tunnel_service command = {.start = program_start};

static void go(struct waiter *w, const struct err *e)
{
    struct dial *d = OWNER_OF(w, struct dial, waiter);
    const struct program_end *end = program_local_end();

    if (e)
        d->done(d, -1, e);
    else
        stream_dial(d, command.target, end->path, end->host, end->port,
                    "run the tunnel's command by hand, and check that it forwards connections");
}

static void command_open(const struct target *target, void (*opened)(const struct err *e))
{
    struct err e = ERR_INIT;

    if (program_prepare(target, &command, &e) < 0)
        opened(&e);
    else
        service_open(&command, target, opened);
}

static void command_dial(struct dial *d)
{
    d->waiter.go = go;
    service_await(&command, &d->waiter);
}

static void command_undial(struct dial *d)
{
    if (!service_cancel(&command, &d->waiter))
        stream_undial(d);
}

static bool command_is_up(void)
{
    return command.state == SERVICE_UP;
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
