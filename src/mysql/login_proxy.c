/* SPDX-License-Identifier: MIT */
/*
 * Sockets, TLS handshake and deadlines of a login; login_filter.c interprets the bytes. The server's greeting
 * and the handshake each have a deadline. After that the client may ask the user (a dialog, a second factor),
 * and only the server's own limits apply; if the keeper logs in, the user is not asked, and each stage has a
 * deadline. At the end the server is closed at once, and the client has a few seconds to read the error.
 */
#include <mysql/login_proxy.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <mysql/tls.h>

#include "commands.h"
#include "login_action.h"
#include "login_filter.h"
#include "login_inject.h"
#include "login_errors.h"
#include "packet.h"
#include "tls_errors.h"

/* Time to read the error: enough for a busy client, but bounded, because a client may never read. */
#define OVER_MS 5000

struct login_proxy {
    struct relay *relay;
    const struct login_options *options;
    struct mysql mysql;
    enum mysql_step step;
    bool shakes;    /* the TLS handshake is in progress */
    bool over;      /* the server is closed, only the client is left */
    bool told;      /* the client has got its whole error */
    unsigned needs; /* what the TLS handshake waits for: LOOP_READ or LOOP_WRITE */
    struct timer late;
    enum mysql_stage timed; /* if the keeper logs in: the stage to which the deadline `late` applies */
    bool proved;            /* the callback proved() was called */
    struct login_events events;
};

static char chunk[LOGIN_CHUNK_MAX];

/* Sent once, as far as the socket takes it; otherwise the server gets no answer. */
static void login_leave(struct login_proxy *l)
{
    struct wire *server = &l->relay->wire[SERVER];
    AUTO_BUF(answer, 512);

    if (l->mysql.inject && server->watch.fd >= 0) {
        inject_empty_login(l->mysql.inject, &answer);
        (void)wire_write(server, answer.data, answer.len);
    }
}

void login_end(struct relay *r)
{
    struct login_proxy *l = r->login;

    if (!l)
        return;
    login_leave(l);
    r->login = NULL;
    timer_clear(&l->late);
    mysql_release(&l->mysql);
    free(l);
}

static void login_done(struct login_proxy *l, enum login_result result)
{
    struct relay *r = l->relay;
    void (*done)(struct relay *, enum login_result) = l->events.done;

    if (l->mysql.failed.code)
        log_warn(l->mysql.failed.hint, "%s", l->mysql.failed.msg);
    login_end(r);
    done(r, result);
}

static void login_fail(struct login_proxy *l, const struct err *e)
{
    l->shakes = false;
    timer_clear(&l->late);
    l->step = mysql_fail(&l->mysql, e);
}

static void login_lost(struct login_proxy *l)
{
    struct err e = ERR_INIT;

    login_error_lost(&l->mysql, &e);
    login_fail(l, &e);
}

static void login_run(struct login_proxy *l);

static void login_late(struct timer *t)
{
    struct login_proxy *l = OWNER_OF(t, struct login_proxy, late);
    struct err e = ERR_INIT;

    login_error_late(&l->mysql, l->shakes, &e);
    login_fail(l, &e);
    login_run(l);
}

/* Sends what the socket takes. Returns false if the peer has closed the connection. */
static bool send_some(struct wire *to, struct buf *out)
{
    while (out->len) {
        ssize_t sent = wire_write(to, out->data, out->len);
        if (sent == WIRE_LATER)
            return true;
        if (sent < 0)
            return false;
        packet_drop(out, (size_t)sent);
    }
    return true;
}

/* Before TLS only our TLS request is sent, unless TLS is not used. */
static bool send_to_server(struct login_proxy *l)
{
    struct wire *server = &l->relay->wire[SERVER];
    bool open = server->ssl || l->mysql.without_tls;

    return send_some(server, open ? &l->mysql.server.out : &l->mysql.request);
}

static void login_want(struct login_proxy *l)
{
    struct wire *client = &l->relay->wire[CLIENT], *server = &l->relay->wire[SERVER];
    unsigned write = l->mysql.server.out.len || l->mysql.request.len ? LOOP_WRITE : 0;

    loop_want(&client->watch, LOOP_READ | (l->mysql.client.out.len ? LOOP_WRITE : 0u));
    if (l->over || l->step == MYSQL_REFUSED)
        return;
    if (l->shakes)
        loop_want(&server->watch, l->needs);
    else if (l->step == MYSQL_TLS)
        loop_want(&server->watch, write);
    else
        loop_want(&server->watch, LOOP_READ | server->read_needs |
                                      (write && server->write_needs ? server->write_needs : write));
}

/* Continues the TLS handshake. Returns true if there was progress. */
static bool login_shake(struct login_proxy *l)
{
    struct wire *server = &l->relay->wire[SERVER];
    struct err e = ERR_INIT;

    if (!server->ssl) {
        server->ssl = tls_new(server->watch.fd, &e);
        if (!server->ssl) {
            login_fail(l, &e);
            return true;
        }
        l->shakes = true;
        timer_set(&l->late, clock_deadline(l->options->connect_timeout, CLOCK_NEVER), login_late);
    }
    int result = wire_handshake(server);
    int why = SSL_get_error(server->ssl, result);
    if (result != 1 && (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)) {
        l->needs = why == SSL_ERROR_WANT_READ ? LOOP_READ : LOOP_WRITE;
        return false;
    }
    if (result == 1) {
        tls_established(server->ssl);
        l->shakes = false;
        timer_clear(&l->late);
        l->step = mysql_tls_made(&l->mysql);
    } else {
        tls_failed();
        tls_explain(server->ssl, result, l->options->tls, l->options->server, &e);
        login_fail(l, &e);
    }
    return true;
}

/* Data waiting here must be sent before any copied data. */
static void login_hand_over(struct login_proxy *l)
{
    struct flow *flow = l->relay->flow;

    if (l->mysql.inject && !(l->mysql.inject->flags & (CLIENT_COMPRESS | CLIENT_ZSTD)))
        l->relay->filter = commands_new();
    buf_add(&flow[SERVER].held, l->mysql.client.out.data, l->mysql.client.out.len);
    buf_add(&flow[CLIENT].held, l->mysql.server.out.data, l->mysql.server.out.len);
    login_done(l, LOGIN_DONE);
}

static void login_given_up(struct timer *t)
{
    login_done(OWNER_OF(t, struct login_proxy, late), LOGIN_FAILED);
}

/* Waits until the client has read its error and closed: if the keeper closed earlier and the client had sent
 * data meanwhile, the error would be lost. */
static void login_over(struct login_proxy *l)
{
    struct relay *r = l->relay;

    if (!l->over) {
        l->over = true;
        login_leave(l);
        wire_close(&r->wire[SERVER]);
        timer_set(&l->late, clock_ms() + OVER_MS, login_given_up);
    }
    if (!l->told && !l->mysql.client.out.len) {
        l->told = true;
        wire_shut(&r->wire[CLIENT]);
    }
    login_want(l);
}

/* The client waits for login_retry() or login_tell(). */
static void login_refused(struct login_proxy *l)
{
    struct wire *server = &l->relay->wire[SERVER];

    login_want(l);
    if (server->watch.fd < 0)
        return;
    wire_close(server);
    timer_clear(&l->late);
    l->events.done(l->relay, LOGIN_REFUSED);
}

/* If the keeper logs in: sets the deadline of each stage, and calls proved() when the client has proved that
 * it may connect. */
static void login_stage(struct login_proxy *l)
{
    enum mysql_stage stage = l->mysql.stage;

    if (l->mysql.inject && stage != l->timed && stage < STAGE_REFUSED && stage != STAGE_TLS)
        timer_set(&l->late, clock_deadline(login_patience(&l->mysql), CLOCK_NEVER), login_late);
    l->timed = stage;
    if (mysql_proved(&l->mysql) && !l->proved) {
        l->proved = true;
        if (l->events.proved)
            l->events.proved(l->relay);
    }
}

/* Returns true to continue. If it returns false, the login may have been freed. */
static bool login_advance(struct login_proxy *l)
{
    struct relay *r = l->relay;

    login_stage(l);
    if (!send_some(&r->wire[CLIENT], &l->mysql.client.out)) {
        login_done(l, LOGIN_FAILED);
        return false;
    }
    if (l->step == MYSQL_OVER) {
        login_over(l);
        return false;
    }
    if (l->step == MYSQL_REFUSED) {
        login_refused(l);
        return false;
    }
    if (!l->shakes && !send_to_server(l)) {
        login_lost(l);
        return true;
    }
    if (l->step == MYSQL_COPY) {
        login_hand_over(l);
        return false;
    }
    if (l->step == MYSQL_TLS && !l->mysql.request.len && login_shake(l))
        return true;
    login_want(l);
    return false;
}

static void login_run(struct login_proxy *l)
{
    while (login_advance(l))
        ;
}

static void client_ready(struct watch *w, unsigned events)
{
    struct relay *r = OWNER_OF(w, struct relay, wire[CLIENT].watch);
    struct login_proxy *l = r->login;

    if (events & LOOP_READ) {
        ssize_t n = wire_read(&r->wire[CLIENT], chunk, sizeof chunk);
        if (n == WIRE_END || n == WIRE_BROKEN) {
            login_done(l, LOGIN_FAILED);
            return;
        }
        if (n > 0) {
            l->step = mysql_from_client(&l->mysql, chunk, (size_t)n);
            explicit_bzero(chunk, (size_t)n);
        }
    }
    login_run(l);
}

/* Reads until there is no more: data that OpenSSL has already read does not make the descriptor readable. */
static void server_read(struct login_proxy *l)
{
    struct wire *server = &l->relay->wire[SERVER];
    ssize_t n;

    do {
        n = wire_read(server, chunk, sizeof chunk);
        if (n > 0) {
            l->step = mysql_from_server(&l->mysql, chunk, (size_t)n);
            explicit_bzero(chunk, (size_t)n);
        }
    } while (n > 0 && server->ssl && l->step == MYSQL_WAIT);
    if ((n == WIRE_END || n == WIRE_BROKEN) && l->step == MYSQL_WAIT)
        login_lost(l);
    else if (!l->mysql.inject && l->mysql.stage != STAGE_GREETING)
        timer_clear(&l->late);
}

static void server_ready(struct watch *w, unsigned events)
{
    struct login_proxy *l = OWNER_OF(w, struct relay, wire[SERVER].watch)->login;

    (void)events;
    if (!l->shakes && l->step == MYSQL_WAIT)
        server_read(l);
    login_run(l);
}

static void watch_server(struct login_proxy *l, int64_t deadline)
{
    struct watch *watch = &l->relay->wire[SERVER].watch;

    loop_watch(watch, watch->fd, LOOP_READ, server_ready);
    timer_set(&l->late, deadline, login_late);
}

void login_start(struct relay *r, const struct login_options *options, struct login_credential *as,
                 const struct secret *client_password, int64_t deadline, const struct login_events *events)
{
    struct login_proxy *l = mem_alloc(1, sizeof *l);

    l->relay = r;
    l->options = options;
    l->events = *events;
    l->timed = STAGE_GREETING;
    mysql_init(&l->mysql, options);
    if (as)
        mysql_inject(&l->mysql, as, client_password);
    r->login = l;
    loop_watch(&r->wire[CLIENT].watch, r->wire[CLIENT].watch.fd, LOOP_READ, client_ready);
    watch_server(l, deadline);
}

void login_retry(struct relay *r, struct login_credential *as, int64_t deadline)
{
    struct login_proxy *l = r->login;

    if (l->over) {
        wire_close(&r->wire[SERVER]);
        return;
    }
    l->step = mysql_retry(&l->mysql, as);
    l->timed = l->mysql.stage;
    watch_server(l, deadline);
    login_want(l);
}

void login_tell(struct relay *r, const struct err *e)
{
    struct login_proxy *l = r->login;

    l->step = mysql_tell(&l->mysql, e);
    login_run(l);
}
