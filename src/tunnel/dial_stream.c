/* SPDX-License-Identifier: MIT */
/* Dials for the kinds of tunnel that use only connect(2). */
#include "dial_stream.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/peer.h>
#include <base/tcp_table.h>
#include <event/dial.h>

struct dial_stream {
    struct dial *dial;
    struct dialling *dialling;
    const char *hint;
    bool is_tunnel;
};

/* Checks whose listener it is, before a byte is sent: any user can listen at a local port. */
static bool is_strange(int fd, struct err *e)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    struct tcp_end end;
    unsigned uid;

    if (!peer_is_other_user(fd, &uid) || getpeername(fd, (struct sockaddr *)&at, &n) < 0)
        return false;
    (void)tcp_end_take(&at, &end);
    (void)err_set_numbered(e, ERR_REFUSED, 2003,
                           "port %u of this machine: another user listens there (uid %u)", end.port, uid);
    (void)err_hint(e, "start your own forward at another port; for a service of this machine, set host and "
                      "port without via");
    return true;
}

static void stream_done(void *context, int fd, const struct err *e)
{
    struct dial_stream *s = context;
    struct dial *d = s->dial;
    struct err own = ERR_INIT;
    bool failed = e;

    if (e)
        err_copy(&own, e);
    if (e && s->hint)
        (void)err_hint(&own, "%s", s->hint);
    if (!e && s->is_tunnel && is_strange(fd, &own)) {
        (void)close(fd);
        fd = -1;
        failed = true;
    }
    d->state = NULL;
    free(s);
    d->done(d, fd, failed ? &own : NULL);
}

void stream_dial(struct dial *d, const struct target *target, const char *path, const char *host,
                 unsigned port, const char *hint)
{
    struct dial_stream *s = mem_alloc(1, sizeof *s);

    *s = (struct dial_stream){.dial = d, .hint = hint, .is_tunnel = hint};
    d->state = s;
    s->dialling =
        dial_start(path, host, port, clock_deadline(target->connect_timeout, CLOCK_NEVER), stream_done, s);
}

void stream_undial(struct dial *d)
{
    struct dial_stream *s = d->state;

    if (!s)
        return;
    d->state = NULL;
    dial_cancel(s->dialling);
    free(s);
}

int stream_address(const char *text, const char **path, const char **host, unsigned *port, struct err *e)
{
    char *own_path, *own_host; /* live as long as the process */

    if (keeper_address_take(text, &own_path, &own_host, port) && (own_path || *port)) {
        *path = own_path;
        *host = own_host;
        return 0;
    }
    free(own_host);
    (void)err_set(e, ERR_CONFIG, "address: not an address: %s", text);
    return err_hint(e, "address = 127.0.0.1:13306");
}
