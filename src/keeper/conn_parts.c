/* SPDX-License-Identifier: MIT */
/* What all connections have in common: their list, the dialled stream, refusal, and the end. */
#include "conn_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <mysql/client_error.h>

#include "first.h"
#include "options.h"
#include "tunnels.h"

struct conn *conn_all;
static unsigned open_now;

void (*conn_on_end)(void);

unsigned conn_count(void)
{
    return open_now;
}

struct conn *conn_new(int fd, enum listener_kind kind)
{
    struct conn *c = mem_alloc(1, sizeof *c);

    c->kind = kind;
    relay_init(&c->relay);
    c->relay.wire[CLIENT].watch.fd = fd;
    c->next = conn_all;
    c->at = &conn_all;
    if (conn_all)
        conn_all->at = &c->next;
    conn_all = c;
    open_now++;
    return c;
}

void conn_end(struct conn *c)
{
    if (c->dialling)
        tunnel_undial(&c->dial);
    if (c->handing_off || c->handed_off)
        tunnel_cancel(&c->handoff);
    login_end(&c->relay);
    relay_release(&c->relay);
    if (c->release)
        c->release(c);
    timer_clear(&c->silence);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    free(c);
    open_now--;
    if (conn_on_end)
        conn_on_end();
}

void conn_end_all(void)
{
    while (conn_all)
        conn_end(conn_all);
    first_close();
}

static void relay_ended(struct relay *r)
{
    conn_end(OWNER_OF(r, struct conn, relay));
}

/* Clients accept an error instead of the greeting. One send is enough, because nothing was sent before. */
void conn_refuse(struct conn *c, const struct err *e)
{
    int fd = c->handed_off ? c->handoff.fd : c->relay.wire[CLIENT].watch.fd;
    AUTO_BUF(packet, 1024);

    log_warn(e->hint, "%s", e->msg);
    told_put(&packet, 0, e);
    (void)send(fd, packet.data, packet.len, MSG_NOSIGNAL);
    conn_end(c);
}

/* Dial and greeting have one connect_timeout; the login to a lost tunnel has another. */
void conn_expect(struct conn *c)
{
    if (!c->deadline)
        c->deadline = clock_deadline(opt.target.connect_timeout, CLOCK_NEVER);
}

void conn_connected(struct conn *c, int fd)
{
    c->relay.wire[SERVER].watch.fd = fd;
    conn_expect(c);
    c->reached(c);
}

void conn_copy(struct conn *c)
{
    relay_start(&c->relay, relay_ended);
}

static void dialled(struct dial *d, int fd, const struct err *e)
{
    struct conn *c = OWNER_OF(d, struct conn, dial);

    c->dialling = false;
    if (fd < 0)
        c->failed(c, e);
    else
        conn_connected(c, fd);
}

/* Drops a client that closes the connection. If a client sends data although it should wait for a greeting,
 * it is not watched any more. */
static void waits(struct watch *w, unsigned events)
{
    char byte;
    ssize_t n = recv(w->fd, &byte, 1, MSG_PEEK);

    (void)events;
    if (n > 0)
        loop_want(w, 0);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        conn_end(OWNER_OF(w, struct conn, relay.wire[CLIENT].watch));
}

void conn_dial(struct conn *c)
{
    c->dial.done = dialled;
    c->dialling = true;
    tunnel_dial(&c->dial);
}

void conn_watch(struct conn *c)
{
    loop_watch(&c->relay.wire[CLIENT].watch, c->relay.wire[CLIENT].watch.fd, LOOP_READ, waits);
}
