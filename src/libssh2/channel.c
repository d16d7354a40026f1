/* SPDX-License-Identifier: MIT */
/*
 * Processes the channels of a session, once per iteration of the event loop. Only drive() lets libssh2 read
 * packets, because one read affects all channels; afterwards every channel is checked for data, for its end,
 * and for a window that lets it send again. Each iteration starts with another channel.
 */
#include "channel.h"

#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>

#define FEED (64u << 10)   /* bytes of ciphertext that are read before data is delivered to the channels */
#define PASSES 8           /* such portions per iteration */
#define TURN_UP (1u << 20) /* bytes sent per iteration */
#define UNREAD_MS 1000     /* how long input waits for a channel to read it */

static void forget(struct ssh_session *s, struct channel *c)
{
    struct channel *last = s->channels[--s->count];

    s->channels[c->index] = last;
    last->index = c->index;
    if (s->count == 0)
        s->idle_since = clock_ms();
    bounds_unread(s, c->window + c->portion);
    bytes_release(&c->down);
    bytes_release(&c->up);
    free(c);
}

void channels_end(struct ssh_session *s)
{
    timer_clear(&s->unread);
    while (s->count > 0) {
        struct channel *c = s->channels[s->count - 1];
        channel_end(c);
        forget(s, c);
    }
}

/* --- reading --- */

static void still_unread(struct timer *t)
{
    struct ssh_session *s = OWNER_OF(t, struct ssh_session, unread);
    struct channel *c;

    if (s->count || s->opening || s->driver || s->state != SESSION_UP)
        return;
    /* libssh2 can read only for a channel. A session channel on which nothing is started costs sshd nothing,
     * and even if sshd refuses it, requesting it has caused a read. */
    c = mem_alloc(1, sizeof *c);
    *c = (struct channel){.local = {.fd = -1}, .drives = true};
    (void)open_start(s, c, 0);
    s->busy = true;
}

/* Lets libssh2 read packets without consuming data, by waiting for a channel's end; if that channel has
 * already ended, by waiting for another channel's end. */
static ssize_t pump(struct ssh_session *s)
{
    char nothing;

    for (size_t i = 0; i < s->count; i++) {
        int result = libssh2_channel_wait_eof(s->channels[i]->ssh);
        if (result != 0)
            return result;
    }
    if (s->driver && libssh2_channel_eof(s->driver) == 0)
        return libssh2_channel_wait_eof(s->driver);
    /* Reads the stderr stream, which is never used here. */
    return s->count ? libssh2_channel_read_ex(s->channels[0]->ssh, SSH_EXTENDED_DATA_STDERR, &nothing, 1) : 0;
}

/* Lets libssh2 read a portion of the received data. Returns -1 if the session failed. */
static int drive(struct ssh_session *s)
{
    bool alone = !s->count && !s->driver;

    s->quota = FEED;
    ssize_t result = pump(s);
    if (libssh2_fate(result) == FATE_OVER || open_step(s) < 0)
        return -1;
    /* Data that follows the answer is already in libssh2, and no more may arrive. */
    result = alone ? pump(s) : 0;
    s->quota = 0;
    return libssh2_fate(result) == FATE_OVER ? -1 : 0;
}

/* Checks libssh2 last, because libssh2 searches its whole queue. */
static bool has_come(const struct channel *c)
{
    return c->again || libssh2_channel_wait_eof(c->ssh) == 0 || libssh2_poll_channel_read(c->ssh, 0) != 0;
}

static int deliver_all(struct ssh_session *s)
{
    for (size_t i = s->count; i-- > 0;) {
        struct channel *c = s->channels[i];
        bool takes = c->handoff && !c->server_eof && c->down.start == c->down.end;
        if (takes && has_come(c) && channel_deliver(s, c) < 0)
            return -1;
    }
    return 0;
}

static int read_all(struct ssh_session *s)
{
    for (int i = 0; i < PASSES && s->in.start < s->in.end; i++) {
        if (!s->count && !s->opening && !s->driver) {
            if (!s->unread.set)
                timer_set(&s->unread, clock_ms() + UNREAD_MS, still_unread);
            return 0;
        }
        if (drive(s) < 0 || deliver_all(s) < 0)
            return -1;
    }
    return 0;
}

/* --- sending and ending --- */

static int send_all(struct ssh_session *s)
{
    uint64_t before = s->given;
    size_t first = s->count ? s->first++ % s->count : 0;

    s->blocked = false;
    for (size_t i = 0; i < s->count && s->given - before < TURN_UP; i++) {
        struct channel *c = s->channels[(first + i) % s->count];
        if (s->blocked) {
            channel_pause(c);
            continue;
        }
        if (c->paused && channel_may_send(s, c)) {
            c->paused = false;
            c->readable = true;
        }
        if (c->handoff && (c->readable || c->up.start < c->up.end || (c->client_eof && !c->eof_sent)) &&
            channel_take(s, c) < 0)
            return -1;
        if (s->given - before >= TURN_UP)
            s->first = first + i + 1;
    }
    return 0;
}

static void end_all(struct ssh_session *s)
{
    for (size_t i = s->count; i-- > 0;) {
        struct channel *c = s->channels[i];
        /* The channel has ended if both directions have ended or it is closed; if it is closed, libssh2 does
         * not wait. */
        if (c->server_eof && c->down.start == c->down.end &&
            (c->eof_sent || libssh2_channel_wait_closed(c->ssh) == 0))
            channel_end(c);
        if (c->closing && libssh2_channel_free(c->ssh) != LIBSSH2_ERROR_EAGAIN)
            forget(s, c);
    }
}

int channels_turn(struct ssh_session *s)
{
    bool again = s->again;

    s->again = false;
    if ((again && deliver_all(s) < 0) || read_all(s) < 0 || (s->count && send_all(s) < 0))
        return -1;
    if (open_step(s) < 0)
        return -1;
    bounds_look(s);
    end_all(s);
    io_flush(s);
    return io_is_over(s) || (s->gone && !s->count && !s->opening) ? -1 : 0;
}
