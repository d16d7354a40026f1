/* SPDX-License-Identifier: MIT */
/*
 * Copies in both directions. All connections share one buffer, wiped after each use; a connection has its own
 * buffer only while one side takes less than the other sends, and the sending side is then not read. A
 * client's end of file is passed on, and the server's answer still arrives; a server's end of file ends the
 * connection, after LINGER_MS for the client to read. A connection does not move more than TURN_MOST per
 * iteration while others wait.
 */
#include <event/relay.h>

#include <stddef.h>
#include <string.h>

#include <base/clock.h>

#define SHARED_SIZE (128 * 1024)
#define TURN_MOST (256 * 1024)
/* Closing at once could destroy data that the client has not read yet (TCP reset). */
#define LINGER_MS 2000

static char shared[SHARED_SIZE];

/* FLOW_PEER_CLOSED: nothing can be sent to the peer any more, but it may still have sent data. */
enum outcome { FLOW_OK, FLOW_BLOCKED, FLOW_PEER_CLOSED, FLOW_ERROR };

void relay_init(struct relay *r)
{
    *r = (struct relay){0};
    for (int i = 0; i < 2; i++) {
        r->wire[i] = (struct wire)WIRE_INIT;
        r->flow[i].held = (struct buf)BUF_INIT(RELAY_HELD_MAX);
    }
}

void relay_release(struct relay *r)
{
    timer_clear(&r->more);
    timer_clear(&r->over);
    for (int i = 0; i < 2; i++) {
        wire_close(&r->wire[i]);
        buf_release(&r->flow[i].held);
    }
    if (r->filter)
        r->filter->release(r->filter);
    r->filter = NULL;
}

/* A server that closes while the client still sends has already told the client why. */
static void flow_drop(struct flow *f)
{
    buf_release(&f->held);
    f->at = 0;
    f->ended = f->shut = true;
}

/* Writes as much as the wire takes; the caller keeps the rest. */
static enum outcome push(struct wire *to, const char *bytes, size_t n, size_t *done)
{
    for (*done = 0; *done < n;) {
        ssize_t sent = wire_write(to, bytes + *done, n - *done);
        if (sent == WIRE_LATER)
            return FLOW_BLOCKED;
        if (sent < 0)
            return FLOW_PEER_CLOSED;
        *done += (size_t)sent;
    }
    return FLOW_OK;
}

static enum outcome flow_held(struct flow *f, struct wire *to)
{
    size_t done;
    enum outcome outcome = push(to, f->held.data + f->at, f->held.len - f->at, &done);

    f->at += done;
    if (outcome == FLOW_OK) {
        buf_release(&f->held);
        f->at = 0;
    }
    return outcome;
}

/* Returns how many of the client's bytes may be passed on. If not all, both flows end after the data that
 * they hold. */
static size_t relay_filter(struct relay *r, const char *bytes, size_t n)
{
    if (!r->filter)
        return n;
    size_t passed = r->filter->pass(r->filter, bytes, n, r->heard, &r->flow[SERVER].held);
    r->heard = false;
    if (passed < n)
        r->flow[CLIENT].ended = r->flow[SERVER].ended = true;
    return passed;
}

/* A side without TLS that returned less than the buffer's size has no more data; reading again would cost a
 * system call. */
static enum outcome flow_pass(struct relay *r, int i, size_t *moved)
{
    struct flow *f = &r->flow[i];
    struct wire *from = &r->wire[i];
    size_t done;
    ssize_t got = wire_read(from, shared, sizeof shared);

    if (got == WIRE_BROKEN)
        return FLOW_ERROR;
    if (got == WIRE_LATER)
        return FLOW_BLOCKED;
    f->ended = got == WIRE_END;
    size_t n = i == CLIENT ? relay_filter(r, shared, (size_t)got) : (size_t)got;
    enum outcome outcome = push(&r->wire[1 - i], shared, n, &done);
    if (outcome == FLOW_BLOCKED)
        buf_add(&f->held, shared + done, n - done);
    explicit_bzero(shared, (size_t)got);
    *moved += (size_t)got;
    if (outcome == FLOW_OK && !from->ssl && (size_t)got < sizeof shared && !f->ended)
        return FLOW_BLOCKED;
    return outcome;
}

static enum outcome flow_run(struct relay *r, int i)
{
    struct flow *f = &r->flow[i];
    struct wire *to = &r->wire[1 - i];
    enum outcome outcome = f->held.len ? flow_held(f, to) : FLOW_OK;
    size_t moved = 0;

    while (outcome == FLOW_OK && !f->ended && moved < TURN_MOST)
        outcome = flow_pass(r, i, &moved);
    r->heard |= i == SERVER && moved;
    if (outcome == FLOW_OK && f->ended && !f->shut) {
        wire_shut(to);
        f->shut = true;
    }
    return outcome;
}

static void relay_want(struct relay *r)
{
    for (int i = 0; i < 2; i++) {
        struct wire *w = &r->wire[i];
        bool reads = !r->flow[i].ended && !r->flow[i].held.len;
        unsigned wanted = reads ? LOOP_READ | w->read_needs : 0u;
        if (r->flow[1 - i].held.len)
            wanted |= w->write_needs ? w->write_needs : LOOP_WRITE;
        loop_want(&w->watch, wanted);
    }
}

/* Data that OpenSSL has already read does not make the descriptor readable, so it is always processed at
 * once. */
static void relay_more(struct timer *t);

static void relay_over(struct timer *t)
{
    struct relay *r = OWNER_OF(t, struct relay, over);

    r->ended(r);
}

static void relay_run(struct relay *r, unsigned flows)
{
    for (int i = 0; i < 2; i++) {
        if (!(flows & (1u << i)))
            continue;
        enum outcome outcome = flow_run(r, i);
        if (i == CLIENT && (outcome == FLOW_PEER_CLOSED || r->flow[SERVER].ended))
            flows |= 1u << SERVER;
        if (outcome == FLOW_PEER_CLOSED && i == CLIENT) {
            flow_drop(&r->flow[CLIENT]);
            continue;
        }
        if (outcome == FLOW_ERROR || outcome == FLOW_PEER_CLOSED) {
            r->ended(r);
            return;
        }
        if (outcome == FLOW_OK && !r->flow[i].ended)
            timer_set(&r->more, clock_ms(), relay_more);
    }
    if (r->flow[CLIENT].shut && r->flow[SERVER].shut) {
        r->ended(r);
        return;
    }
    if (r->flow[SERVER].shut && !r->over.set)
        timer_set(&r->over, clock_ms() + LINGER_MS, relay_over);
    relay_want(r);
}

static void relay_more(struct timer *t)
{
    relay_run(OWNER_OF(t, struct relay, more), 3);
}

/* A readable event belongs to the side's own flow, a writable event to the other flow; with TLS each may wait
 * for either event. */
static void wire_ready(struct relay *r, int side, unsigned events)
{
    unsigned own = 1u << side, other = 1u << (1 - side);
    bool tls = r->wire[side].ssl != NULL;

    relay_run(r, tls ? 3 : (events & LOOP_READ ? own : 0) | (events & LOOP_WRITE ? other : 0));
}

static void first_ready(struct watch *w, unsigned events)
{
    wire_ready(OWNER_OF(w, struct relay, wire[0].watch), 0, events);
}

static void second_ready(struct watch *w, unsigned events)
{
    wire_ready(OWNER_OF(w, struct relay, wire[1].watch), 1, events);
}

/* Filters data that arrived while the connection was being opened. */
static void filter_held(struct relay *r)
{
    struct buf *held = &r->flow[CLIENT].held;
    size_t passed = relay_filter(r, held->data, held->len);

    explicit_bzero(held->data + passed, held->len - passed);
    held->len = passed;
}

void relay_start(struct relay *r, void (*ended)(struct relay *r))
{
    r->ended = ended;
    if (r->flow[CLIENT].held.len)
        filter_held(r);
    loop_watch(&r->wire[0].watch, r->wire[0].watch.fd, 0, first_ready);
    loop_watch(&r->wire[1].watch, r->wire[1].watch.fd, 0, second_ready);
    relay_run(r, 3);
}
