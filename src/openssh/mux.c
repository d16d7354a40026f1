/* SPDX-License-Identifier: MIT */
/*
 * Requests to a master. Hello, request and descriptors are sent at once: the master reads only whole packets,
 * so the rest waits in the socket. Only a few connections wait for the master's hello at a time, because its
 * backlog is short.
 */
#include "mux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <event/loop.h>

#define REQUEST_MOST 16384
#define GREETING_MOST 32 /* half of the backlog of ssh's socket */
#define RETRY_MS 5
#define READ_MOST 4096

struct mux {
    TAILQ_ENTRY(mux) next; /* in the list of waiting requests */
    enum { WAITING, GREETING, ASKED, GRANTED } state;
    char *path;
    struct buf out, in;
    size_t sent;
    int fds[MUX_FDS_MOST];
    unsigned count, passed;
    struct watch control;
    struct timer late;
    const struct mux_use *use;
    void *context;
};

static TAILQ_HEAD(, mux) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static unsigned greeting;
static struct timer retry;
static struct mux *taking; /* the request whose packets are being processed */

/* --- a request
 * -------------------------------------------------------------------------------------------- */

static void serve_waiting(void);

static void mux_free(struct mux *m)
{
    if (taking == m)
        taking = NULL;
    if (m->state == WAITING)
        TAILQ_REMOVE(&waiting, m, next);
    if (m->state == GREETING)
        greeting--;
    timer_clear(&m->late);
    loop_close(&m->control);
    buf_release(&m->in);
    buf_release(&m->out);
    free(m->path);
    free(m);
}

bool mux_send(struct mux *m, const struct buf *packet)
{
    return m->state == GRANTED && send(m->control.fd, packet->data, packet->len,
                                       MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)packet->len;
}

void mux_stop(struct mux *m)
{
    mux_free(m);
    serve_waiting();
}

static void finish(struct mux *m, enum mux_answer answer, const char *words)
{
    const struct mux_use *use = m->use;
    void *context = m->context;
    bool granted = m->state == GRANTED;

    mux_free(m);
    if (granted)
        use->ended(context);
    else
        use->answered(context, answer, words);
    serve_waiting();
}

static void mux_is_late(struct timer *t)
{
    finish(OWNER_OF(t, struct mux, late), MUX_SILENT, "");
}

static bool pass_one(struct mux *m)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {0};
    char byte = 0;
    struct iovec what = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &what, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &m->fds[m->passed], sizeof(int));
    return sendmsg(m->control.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* Sends as much as possible. Returns false if the master has closed the connection. */
static bool send_some(struct mux *m)
{
    while (m->sent < m->out.len || m->passed < m->count) {
        if (m->sent < m->out.len) {
            ssize_t n =
                send(m->control.fd, m->out.data + m->sent, m->out.len - m->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) {
                m->sent += (size_t)n;
                continue;
            }
        } else if (pass_one(m)) {
            m->passed++;
            continue;
        }
        if (errno == EINTR)
            continue;
        return errno == EAGAIN;
    }
    return true;
}

static unsigned wanted(const struct mux *m)
{
    return LOOP_READ | (m->sent < m->out.len || m->passed < m->count ? LOOP_WRITE : 0);
}

/* Handles one packet. Returns false if the request has ended. */
static bool take(struct mux *m, const struct mux_reply *r)
{
    AUTO_BUF(words, MUX_PACKET_MOST);

    if (r->says == MUX_HELLO && m->state == GREETING) {
        m->state = ASKED;
        greeting--;
    } else if (r->says == MUX_GRANTED && m->state == ASKED) {
        m->state = GRANTED;
        timer_clear(&m->late);
        buf_release(&m->out);
        m->sent = 0;
        m->use->answered(m->context, MUX_YES, "");
    } else if (m->state == GRANTED && m->use->heard) {
        m->use->heard(m->context);
    } else if (r->says == MUX_REFUSED && m->state == ASKED) {
        text_sanitise_line(&words, r->words, r->n);
        finish(m, MUX_NO, buf_str(&words));
        return false;
    }
    return true;
}

/* Handles complete packets, and stops if a callback has ended the request. */
static void take_all(struct mux *m)
{
    struct mux_reply reply;
    size_t at = 0;
    long n = 0;

    taking = m;
    while (taking && (n = mux_parse(m->in.data + at, m->in.len - at, &reply)) > 0) {
        at += (size_t)n;
        if (!take(m, &reply))
            return;
    }
    if (!taking)
        return;
    taking = NULL;
    if (n < 0) {
        finish(m, MUX_NO_SENSE, "");
    } else if (at == m->in.len) {
        buf_release(&m->in); /* there may be thousands; the master sends nothing more until their end */
    } else {
        memmove(m->in.data, m->in.data + at, m->in.len - at);
        m->in.len -= at;
    }
}

static void control_ready(struct watch *w, unsigned events)
{
    struct mux *m = OWNER_OF(w, struct mux, control);
    char *room = buf_room(&m->in, READ_MOST);
    ssize_t n = -1;

    (void)events;
    bool there = send_some(m);
    if (there && room) {
        n = read(w->fd, room, READ_MOST);
        there = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    }
    if (!there) {
        finish(m, MUX_GONE, "");
        return;
    }
    loop_want(w, wanted(m));
    if (n > 0) {
        buf_grew(&m->in, (size_t)n);
        take_all(m);
        serve_waiting();
    }
}

/* --- the queue of requests
 * -------------------------------------------------------------------------------- */

static void try_again(struct timer *t)
{
    (void)t;
    serve_waiting();
}

/* Connects to the master. Returns 1 if connected, 0 if the backlog is full or no descriptor is left, -1 if
 * there is no master. */
static int greet(struct mux *m)
{
    int fd = fd_connect_unix(m->path);

    if (fd < 0)
        return errno == EAGAIN || errno == EMFILE || errno == ENFILE ? 0 : -1;
    TAILQ_REMOVE(&waiting, m, next);
    m->state = GREETING;
    greeting++;
    loop_watch(&m->control, fd, LOOP_READ | LOOP_WRITE, control_ready);
    return 1;
}

static void serve_waiting(void)
{
    static bool serving; /* set while the queue is served, because a callback may end other requests */
    struct mux *m;
    int went = 1;

    if (serving)
        return;
    serving = true;
    while (went && (m = TAILQ_FIRST(&waiting)) && greeting < GREETING_MOST) {
        went = greet(m);
        if (went < 0)
            finish(m, MUX_GONE, "");
    }
    if (!went)
        timer_set(&retry, clock_ms() + RETRY_MS, try_again);
    serving = false;
}

struct mux *mux_ask(const char *path, struct buf *request, const int *fds, unsigned count, int64_t deadline,
                    const struct mux_use *use, void *context)
{
    struct mux *m = mem_alloc(1, sizeof *m);

    *m = (struct mux){.path = mem_strdup(path),
                      .out = BUF_INIT(REQUEST_MOST),
                      .in = BUF_INIT(MUX_PACKET_MOST + READ_MOST),
                      .count = count,
                      .control.fd = -1,
                      .use = use,
                      .context = context};
    for (unsigned i = 0; i < count && i < MUX_FDS_MOST; i++)
        m->fds[i] = fds[i];
    mux_put_hello(&m->out);
    buf_add(&m->out, buf_str(request), request->len);
    buf_release(request);
    timer_set(&m->late, deadline, mux_is_late);
    TAILQ_INSERT_TAIL(&waiting, m, next);
    if (!retry.set)
        timer_set(&retry, clock_ms(), try_again);
    return m;
}
