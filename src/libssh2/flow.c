/* SPDX-License-Identifier: MIT */
/*
 * Copies the bytes of one channel directly between the client's socket and libssh2. Only data that one side
 * does not take at once is stored; the other side is then not read. The window is fixed when a channel opens.
 * Data that was read is granted again earlier than libssh2 would do it: libssh2 waits until a quarter of the
 * window is used, which is slow over long distances.
 */
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>

#define PACKET 32700u    /* maximal number of bytes that libssh2 sends in one call */
#define CHUNK_PACKETS 4u /* packets read from a client in one call */
#define CHUNKS 4         /* chunks per iteration from a client that is alone */
#define LINGER_MS 2000   /* time for a client to read the rest, as in event/relay.c */
static char passing[CHUNK_PACKETS * PACKET + 1024];

void channel_end(struct channel *c)
{
    struct handoff *h = c->handoff;

    c->closing = true;
    if (!h)
        return;
    c->handoff = NULL;
    h->state = NULL;
    timer_clear(&c->patience);
    loop_forget(&c->local);
    (void)close(h->fd);
    h->fd = -1;
    if (c->session)
        c->session->busy = true;
    h->ended(h);
}

/* Returns whether the session has failed; an error of the channel alone ends the channel. */
static bool fatal(struct channel *c, ssize_t result)
{
    enum fate fate = libssh2_fate(result);

    if (fate == FATE_CHANNEL)
        channel_end(c);
    return fate == FATE_OVER || fate == FATE_REFUSED;
}

/* Watches only for events that are useful now. */
static void channel_want(struct channel *c)
{
    bool reads = !c->client_eof && !c->paused;

    if (c->handoff)
        loop_want(&c->local, (reads ? LOOP_READ : 0u) | (c->down.start < c->down.end ? LOOP_WRITE : 0u));
}

/* --- from the server to the client --- */

/* Returns how many bytes the client took, or -1 if it has closed the connection. */
static ssize_t give(struct channel *c, const char *from, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t sent = send(c->handoff->fd, from + done, n - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0 && errno != EINTR)
            return -1;
        done += sent > 0 ? (size_t)sent : 0;
    }
    return (ssize_t)done;
}

/* Sends stored data first. Returns false if some is left, or if the client has closed the connection. */
static bool give_kept(struct channel *c)
{
    size_t kept = c->down.end - c->down.start;
    ssize_t sent = kept ? give(c, c->down.at + c->down.start, kept) : 0;

    if (sent < 0) {
        channel_end(c);
        return false;
    }
    c->down.start += (size_t)sent;
    if ((size_t)sent < kept)
        return false;
    bytes_release(&c->down);
    return true;
}

/* --- windows --- */

/* Grants window. During a rekey a grant cannot be sent: the call must be repeated with the same number until
 * it succeeds, without reading in between. */
static ssize_t grant(struct ssh_session *s, struct channel *c)
{
    unsigned long left = libssh2_channel_window_read_ex(c->ssh, NULL, NULL);

    if (!c->granting && left + channel_step(s, c) <= c->window)
        c->granting = c->window - (uint32_t)left;
    if (!c->granting)
        return 0;
    int result = libssh2_channel_receive_window_adjust2(c->ssh, c->granting, 1, NULL);
    if (result == 0) {
        c->granting = 0;
        if (s->drained)
            io_flush(s);
    }
    return result;
}

/* Returns how much may be read: less than the amount at which libssh2 would grant by itself. */
static size_t may_read(const struct channel *c)
{
    size_t most = libssh2_channel_window_read_ex(c->ssh, NULL, NULL) - c->window / 4 * 3;

    return c->portion < most ? c->portion : most;
}

static void keep_down(struct channel *c, const char *from, size_t n)
{
    memcpy(bytes_room(&c->down, n), from, n);
    c->down.end += n;
    channel_want(c);
}

static void is_over(struct timer *t)
{
    channel_end(OWNER_OF(t, struct channel, patience));
}

/* There is no more data now; the server may also have ended the stream. */
static void drained(struct ssh_session *s, struct channel *c)
{
    c->server_eof = libssh2_channel_eof(c->ssh) > 0;
    if (c->server_eof) {
        (void)shutdown(c->handoff->fd, SHUT_WR);
        timer_set(&c->patience, clock_ms() + LINGER_MS, is_over);
    } else if (c->granting)
        c->again = s->again = true;
}

int channel_deliver(struct ssh_session *s, struct channel *c)
{
    c->again = false;
    while (c->handoff && !c->server_eof && c->down.start == c->down.end) {
        ssize_t got = grant(s, c);
        if (got == 0)
            got = libssh2_channel_read(c->ssh, passing, may_read(c));
        if (fatal(c, got))
            return -1;
        if (got <= 0) {
            if (c->handoff)
                drained(s, c);
            return 0;
        }
        c->heard = true;
        bounds_moved(s, (size_t)got);
        ssize_t sent = give(c, passing, (size_t)got);
        if (sent < 0)
            channel_end(c);
        else if (sent < got)
            keep_down(c, passing + sent, (size_t)(got - sent));
    }
    return 0;
}

/* --- from the client to the server --- */

bool channel_may_send(struct ssh_session *s, const struct channel *c)
{
    return !io_stuffed(s) && libssh2_channel_window_write_ex(c->ssh, NULL) > 0;
}

/* Returns 1 if everything was sent, 0 if the server takes no more now, -1 on failure. */
static int pass_on(struct ssh_session *s, struct channel *c, const char *from, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t sent = libssh2_channel_write(c->ssh, from + done, n - done);
        if (fatal(c, sent))
            return -1;
        s->blocked |= sent == LIBSSH2_ERROR_EAGAIN && channel_may_send(s, c);
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    bounds_moved(s, done);
    if (done == n)
        return 1;
    memcpy(bytes_room(&c->up, n - done), from + done, n - done);
    c->up.end += n - done;
    return 0;
}

/* Sends stored data first; nothing can be sent during a rekey. */
static int send_kept(struct ssh_session *s, struct channel *c)
{
    struct bytes kept = c->up;

    if (kept.start == kept.end)
        return 1;
    c->up = (struct bytes){0};
    int result = pass_on(s, c, kept.at + kept.start, kept.end - kept.start);
    bytes_release(&kept);
    return result;
}

/* Returns 1 if there may be more data, 0 if not now, -1 on failure. */
static int take_chunk(struct ssh_session *s, struct channel *c)
{
    unsigned long window = libssh2_channel_window_write_ex(c->ssh, NULL);
    size_t n = window < CHUNK_PACKETS * PACKET ? window : CHUNK_PACKETS * PACKET;
    ssize_t got = recv(c->handoff->fd, passing, n, 0);

    if (got > 0) {
        c->readable = (size_t)got == n;
        int result = pass_on(s, c, passing, (size_t)got);
        /* Wiped, because a client sends its password in cleartext to the server's own socket; not needed for
         * bulk data. */
        if ((size_t)got <= PACKET)
            explicit_bzero(passing, (size_t)got);
        return result;
    }
    c->readable = false;
    c->client_eof = got == 0;
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        channel_end(c);
    return 0;
}

void channel_pause(struct channel *c)
{
    c->paused |= c->readable;
    channel_want(c);
}

int channel_take(struct ssh_session *s, struct channel *c)
{
    int result = send_kept(s, c);

    for (int i = 0; result > 0 && c->readable && i < (s->count > 1 ? 1 : CHUNKS); i++) {
        c->paused = !channel_may_send(s, c);
        if (c->paused)
            break;
        result = take_chunk(s, c);
    }
    if (result < 0)
        return -1;
    if (c->handoff && c->client_eof && !c->eof_sent && c->up.start == c->up.end)
        c->eof_sent = libssh2_channel_send_eof(c->ssh) != LIBSSH2_ERROR_EAGAIN;
    if (result == 0 && c->up.start < c->up.end)
        c->readable = c->paused = true;
    channel_want(c);
    return 0;
}

/* --- the client's socket --- */

static void local_ready(struct watch *w, unsigned events)
{
    struct channel *c = OWNER_OF(w, struct channel, local);
    struct ssh_session *s = c->session;

    if (events & LOOP_READ)
        c->readable = true;
    if (events & LOOP_WRITE && c->down.start < c->down.end && give_kept(c)) {
        c->again = s->again = true;
        channel_want(c);
    }
    s->busy = true;
}

void channel_watch(struct channel *c)
{
    loop_watch(&c->local, c->handoff->fd, LOOP_READ, local_ready);
}
