/* SPDX-License-Identifier: MIT */
/* Streams through the master's forward to a unix socket: this process connects to the local socket and copies
 * the bytes. */
#include "unix_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <event/dial.h>
#include <event/relay.h>

struct socket_stream {
    struct dialling *dialling;
    struct watch far; /* the connection to the local socket, until copying starts */
    struct relay relay;
    struct timer late;
    const struct mux_use *use;
    void *context;
};

void socket_stop(struct socket_stream *s)
{
    dial_cancel(s->dialling);
    timer_clear(&s->late);
    loop_close(&s->far);
    relay_release(&s->relay);
    free(s);
}

static void fail(struct socket_stream *s, enum mux_answer answer)
{
    const struct mux_use *use = s->use;
    void *context = s->context;

    socket_stop(s);
    use->answered(context, answer, "");
}

static void unix_stream_is_late(struct timer *t)
{
    fail(OWNER_OF(t, struct socket_stream, late), MUX_SILENT);
}

static void far_ready(struct watch *w, unsigned events)
{
    struct socket_stream *s = OWNER_OF(w, struct socket_stream, far);
    char byte;
    ssize_t n = recv(w->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fail(s, MUX_NO);
        return;
    }
    timer_clear(&s->late);
    s->relay.wire[SERVER].watch.fd = w->fd;
    loop_forget(w);
    s->use->answered(s->context, MUX_YES, "");
}

static void dialled(void *context, int fd, const struct err *e)
{
    struct socket_stream *s = context;

    s->dialling = NULL;
    if (e)
        fail(s, MUX_GONE);
    else
        loop_watch(&s->far, fd, LOOP_READ, far_ready);
}

struct socket_stream *socket_ask(const char *path, int64_t deadline, const struct mux_use *use, void *context)
{
    struct socket_stream *s = mem_alloc(1, sizeof *s);

    *s = (struct socket_stream){.far.fd = -1, .use = use, .context = context};
    relay_init(&s->relay);
    timer_set(&s->late, deadline, unix_stream_is_late);
    s->dialling = dial_start(path, NULL, 0, CLOCK_NEVER, dialled, s);
    return s;
}

static void relay_ended(struct relay *r)
{
    struct socket_stream *s = OWNER_OF(r, struct socket_stream, relay);
    const struct mux_use *use = s->use;
    void *context = s->context;

    socket_stop(s);
    use->ended(context);
}

void socket_carry(struct socket_stream *s, int fd)
{
    s->relay.wire[CLIENT].watch.fd = fd;
    relay_start(&s->relay, relay_ended);
}
