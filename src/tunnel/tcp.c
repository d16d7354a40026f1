/* SPDX-License-Identifier: MIT */
/* A forward that the user has opened: its local address is dialled as given. */
#include <base/buf.h>

#include "dial_stream.h"

static const struct target *target;
static const char *path, *host;
static unsigned port;

static void tcp_open(const struct target *t, void (*opened)(const struct err *e))
{
    struct err e = ERR_INIT;
    const char *address = target_key(t, "address");

    target = t;
    if (!address) {
        (void)err_set(&e, ERR_CONFIG, "a tunnel of type tcp needs address");
        (void)err_hint(&e, "address = 127.0.0.1:13306");
        opened(&e);
    } else {
        opened(stream_address(address, &path, &host, &port, &e) < 0 ? &e : NULL);
    }
}

static void tcp_dial(struct dial *d)
{
    stream_dial(d, target, path, host, port, "start the forward that listens there, or check address or via");
}

static void tcp_describe(struct buf *out)
{
    if (path) {
        buf_printf(out, "socket %s", path);
    } else if (host) {
        buf_puts(out, "tcp ");
        text_address(out, host, port);
    }
}

const struct tunnel_kind tunnel_tcp = {
    .name = "tcp", .open = tcp_open, .dial = tcp_dial, .undial = stream_undial, .describe = tcp_describe};
