/* SPDX-License-Identifier: MIT */
/*
 * A connection from accept to its end: dials a stream to the server (or lets the tunnel carry the client's
 * descriptor itself); if the listener does not pass plain bytes, relays the log-in (mysql/login_proxy.c);
 * then copies bytes (event/relay.c). A failure is an error packet for the client and a line in the log.
 */
#include "conn.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/peer.h>
#include <event/relay.h>
#include <mysql/client_error.h>
#include <mysql/login_proxy.h>

#include "first.h"
#include "options.h"
#include "tunnels.h"

/* The maximal number of connections whose user was not checked: half of the channels of an SSH session. */
#define ANYBODY_MOST 4096
#define ANYBODY_MOST_CHANNELS 256
#define QUIET_MS 60000

struct conn {
    struct conn *next, **at;
    enum keeper_end kind;
    struct relay relay;
    struct dial dial;
    struct handoff join;
    bool dialling, joining, joined;
    bool of_anybody; /* it counts as one whose user was not checked */
    struct timer silence;
    int64_t deadline; /* when the server must have sent data; 0: the tunnel was down */
};

static struct conn *all;
static unsigned open_now, of_anybody;

void (*conn_on_end)(void);

unsigned conn_count(void)
{
    return open_now;
}

static struct conn *conn_new(int fd, enum keeper_end kind)
{
    struct conn *c = mem_alloc(1, sizeof *c);

    c->kind = kind;
    relay_init(&c->relay);
    c->relay.wire[CLIENT].watch.fd = fd;
    c->next = all;
    c->at = &all;
    if (all)
        all->at = &c->next;
    all = c;
    open_now++;
    return c;
}

static void conn_end(struct conn *c)
{
    if (c->dialling)
        tunnel_undial(&c->dial);
    if (c->joining || c->joined)
        tunnel_leave(&c->join);
    login_end(&c->relay);
    relay_release(&c->relay);
    timer_clear(&c->silence);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    of_anybody -= c->of_anybody;
    free(c);
    open_now--;
    if (conn_on_end)
        conn_on_end();
}

void conn_end_all(void)
{
    while (all)
        conn_end(all);
    first_close();
}

static void relay_ended(struct relay *r)
{
    conn_end(OWNER_OF(r, struct conn, relay));
}

/* Clients accept an error in place of the greeting. One send: nothing was sent before. */
static void conn_refuse(struct conn *c, const struct err *e)
{
    int fd = c->joined ? c->join.fd : c->relay.wire[CLIENT].watch.fd;
    AUTO_BUF(packet, 1024);

    log_warn(e->hint, "%s", e->msg);
    told_put(&packet, 0, e);
    (void)send(fd, packet.data, packet.len, MSG_NOSIGNAL);
    conn_end(c);
}

/* For a listener that passes bytes: a silent server would leave the client waiting for its own timeout. */
static void is_silent(struct timer *t)
{
    struct conn *c = OWNER_OF(t, struct conn, silence);
    struct err e = ERR_INIT;

    if (c->joined ? tunnel_heard(&c->join) : c->relay.heard)
        return;
    (void)login_silent(&opt.login, &e);
    conn_refuse(c, &e);
}

/* Dial and greeting are one hop; the log-in to a lost tunnel is another. */
static void conn_expect(struct conn *c)
{
    if (!c->deadline)
        c->deadline = clock_deadline(opt.target.connect_timeout, CLOCK_NEVER);
}

static void logged_in(struct relay *r, bool well)
{
    if (well)
        relay_start(r, relay_ended);
    else
        conn_end(OWNER_OF(r, struct conn, relay));
}

static void conn_connected(struct conn *c, int fd)
{
    c->relay.wire[SERVER].watch.fd = fd;
    conn_expect(c);
    if (c->kind != KEEPER_END_BYTES) {
        login_start(&c->relay, &opt.login, c->deadline, logged_in);
        return;
    }
    timer_set(&c->silence, c->deadline, is_silent);
    relay_start(&c->relay, relay_ended);
}

static void dialled(struct dial *d, int fd, const struct err *e)
{
    struct conn *c = OWNER_OF(d, struct conn, dial);

    c->dialling = false;
    if (fd < 0)
        conn_refuse(c, e);
    else
        conn_connected(c, fd);
}

/* A client that hangs up is dropped. One that sends data, although it should wait for a greeting, is not
 * watched any more. */
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

static void conn_dial(struct conn *c)
{
    c->dial.done = dialled;
    c->dialling = true;
    tunnel_dial(&c->dial);
}

static void joined(struct handoff *j, const struct err *e)
{
    struct conn *c = OWNER_OF(j, struct conn, join);

    c->joining = false;
    if (e) {
        conn_refuse(c, e);
        return;
    }
    c->joined = true;
    conn_expect(c);
    timer_set(&c->silence, c->deadline, is_silent);
    loop_forget(&c->relay.wire[CLIENT].watch); /* the tunnel owns the descriptor */
}

static void join_ended(struct handoff *j)
{
    struct conn *c = OWNER_OF(j, struct conn, join);

    c->joined = false;
    conn_end(c);
}

static void conn_join(struct conn *c)
{
    c->join = (struct handoff){.fd = c->relay.wire[CLIENT].watch.fd, .taken = joined, .ended = join_ended};
    c->joining = true;
    tunnel_join(&c->join);
}

/* Each connection takes two descriptors, and more. */
static unsigned share_of_anybody(void)
{
    unsigned most = tunnel_joins() ? ANYBODY_MOST_CHANNELS : ANYBODY_MOST;
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur / 8 < most ? (unsigned)(limit.rlim_cur / 8) : most;
}

/* Any local user can connect to the port, and root can bypass the socket's mode. The user of a connection is
 * checked once other users could leave none to our own user. */
static bool is_welcome(int fd, enum keeper_end kind, bool *anybody)
{
    int domain = 0;
    socklen_t n = sizeof domain;
    bool by_port = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain != AF_UNIX;

    *anybody = by_port && kind != KEEPER_END_OURS && of_anybody < share_of_anybody();
    return *anybody || peer_is_us(fd);
}

/* A refused client may come again at once and must not fill the log. */
static void note_refused(void)
{
    static int64_t quiet_until;

    if (clock_left(quiet_until) > 0)
        return;
    quiet_until = clock_deadline(QUIET_MS, CLOCK_NEVER);
    log_warn(NULL, "another user's connection was refused");
}

void conn_serve(int fd, enum keeper_end kind)
{
    bool anybody;

    if (!is_welcome(fd, kind, &anybody)) {
        note_refused();
        (void)close(fd);
        return;
    }
    struct conn *c = conn_new(fd, kind);
    c->of_anybody = anybody;
    of_anybody += anybody;
    if (tunnel_is_up())
        conn_expect(c);
    int ready = first_take();
    if (ready >= 0) {
        conn_connected(c, ready);
        return;
    }
    loop_watch(&c->relay.wire[CLIENT].watch, fd, LOOP_READ, waits);
    if (kind == KEEPER_END_BYTES && tunnel_joins())
        conn_join(c);
    else
        conn_dial(c);
}
