/* SPDX-License-Identifier: MIT */
/* Streams through the master's forward to a unix socket: we connect and copy. */
#include "unix_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <event/relay.h>

#define RETRY_MS 5

struct socket_stream {
    char *path;
    struct watch far; /* until it is carried */
    struct relay relay;
    struct timer again, late;
    const struct mux_use *use;
    void *context;
};

void socket_stop(struct socket_stream *s)
{
    timer_clear(&s->again);
    timer_clear(&s->late);
    loop_close(&s->far);
    relay_release(&s->relay);
    free(s->path);
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

static void dial(struct timer *t)
{
    struct socket_stream *s = OWNER_OF(t, struct socket_stream, again);
    int fd = fd_connect_unix(s->path);

    if (fd >= 0)
        loop_watch(&s->far, fd, LOOP_READ, far_ready);
    else if (errno == EAGAIN)
        timer_set(t, clock_ms() + RETRY_MS, dial);
    else
        fail(s, MUX_GONE);
}

struct socket_stream *socket_ask(const char *path, int64_t deadline, const struct mux_use *use, void *context)
{
    struct socket_stream *s = mem_alloc(1, sizeof *s);

    *s = (struct socket_stream){.path = mem_strdup(path), .far.fd = -1, .use = use, .context = context};
    relay_init(&s->relay);
    timer_set(&s->late, deadline, unix_stream_is_late);
    timer_set(&s->again, clock_ms(), dial);
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
