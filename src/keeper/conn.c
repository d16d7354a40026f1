/* SPDX-License-Identifier: MIT */
/*
 * A connection from accept to its end: dials a stream to the server (or gives the client's descriptor to the
 * tunnel); if the listener does not pass plain bytes, relays the login (mysql/login_proxy.c); then copies
 * bytes (event/relay.c). On failure the client gets an error packet, and a line is logged.
 */
#include "conn.h"

#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/peer.h>

#include "conn_parts.h"
#include "first.h"
#include "options.h"
#include "tunnels.h"

/* The maximal number of connections whose user was not checked; for SSH, half of the channels of a
 * session. */
#define ANYBODY_MOST 4096
#define ANYBODY_MOST_CHANNELS 256
#define QUIET_MS 60000

static unsigned of_anybody;

/* For a listener that passes bytes: if the server sends nothing, the client would wait for its own
 * timeout. */
static void is_silent(struct timer *t)
{
    struct conn *c = OWNER_OF(t, struct conn, silence);
    struct err e = ERR_INIT;

    if (c->handed_off ? tunnel_heard(&c->handoff) : c->relay.heard)
        return;
    (void)login_silent(&opt.login, &e);
    conn_refuse(c, &e);
}

static void conn_logged_in(struct relay *r, enum login_result result)
{
    struct conn *c = OWNER_OF(r, struct conn, relay);

    if (result == LOGIN_DONE)
        conn_copy(c);
    else
        conn_end(c);
}

static void conn_reached(struct conn *c)
{
    static const struct login_events events = {.done = conn_logged_in};

    if (c->kind != LISTENER_BYTES) {
        login_start(&c->relay, &opt.login, NULL, NULL, c->deadline, &events);
        return;
    }
    timer_set(&c->silence, c->deadline, is_silent);
    conn_copy(c);
}

static void conn_release(struct conn *c)
{
    of_anybody -= c->of_anybody;
}

static void handed_off(struct handoff *j, const struct err *e)
{
    struct conn *c = OWNER_OF(j, struct conn, handoff);

    c->handing_off = false;
    if (e) {
        conn_refuse(c, e);
        return;
    }
    c->handed_off = true;
    conn_expect(c);
    timer_set(&c->silence, c->deadline, is_silent);
    loop_forget(&c->relay.wire[CLIENT].watch); /* from now on the tunnel owns the descriptor */
}

static void handoff_ended(struct handoff *j)
{
    struct conn *c = OWNER_OF(j, struct conn, handoff);

    c->handed_off = false;
    conn_end(c);
}

static void conn_handoff(struct conn *c)
{
    c->handoff =
        (struct handoff){.fd = c->relay.wire[CLIENT].watch.fd, .taken = handed_off, .ended = handoff_ended};
    c->handing_off = true;
    tunnel_handoff(&c->handoff);
}

/* Each connection takes two or more descriptors. */
static unsigned share_of_anybody(void)
{
    unsigned most = tunnel_hands_off() ? ANYBODY_MOST_CHANNELS : ANYBODY_MOST;
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur / 8 < most ? (unsigned)(limit.rlim_cur / 8) : most;
}

static bool is_by_port(int fd)
{
    int domain = 0;
    socklen_t n = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain != AF_UNIX;
}

/* Any local user can connect to the port, and root can bypass the socket's mode. The connection's user is
 * checked if the listener is for this user only; otherwise once so many connections are open that other users
 * could block this user. */
static bool is_welcome(int fd, enum listener_kind kind, bool ours, bool *anybody)
{
    ours |= kind == LISTENER_OURS || kind == LISTENER_LOGIN;
    *anybody = !ours && is_by_port(fd) && of_anybody < share_of_anybody();
    return *anybody || peer_is_us(fd);
}

/* Logged with a limit, because a refused client may connect again at once and must not fill the log. */
static void note_refused(void)
{
    static int64_t quiet_until;

    if (clock_left(quiet_until) > 0)
        return;
    quiet_until = clock_deadline(QUIET_MS, CLOCK_NEVER);
    log_warn(NULL, "another user's connection was refused");
}

void conn_serve(int fd, enum listener_kind kind, bool ours)
{
    bool anybody;

    if (!is_welcome(fd, kind, ours, &anybody)) {
        note_refused();
        (void)close(fd);
        return;
    }
    struct conn *c = conn_new(fd, kind);
    c->of_anybody = anybody;
    of_anybody += anybody;
    if (kind == LISTENER_LOGIN) {
        conn_login_serve(c, is_by_port(fd));
        return;
    }
    c->reached = conn_reached;
    c->failed = conn_refuse;
    c->release = conn_release;
    if (tunnel_is_up())
        conn_expect(c);
    int ready = first_take();
    if (ready >= 0) {
        conn_connected(c, ready);
        return;
    }
    conn_watch(c);
    if (kind == LISTENER_BYTES && tunnel_hands_off())
        conn_handoff(c);
    else
        conn_dial(c);
}
