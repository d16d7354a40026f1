/*
 * The bytes of one channel, straight between the client's socket and libssh2; only what one side does not
 * take at once is kept, and then the other side is not read. Windows start small and grow where the far side
 * is found waiting for us, so that many idle or slow connections cost little.
 */
#include "libssh2_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <base/mem.h>

#define PACKET 32700u    /* the most that libssh2 sends at once */
#define CHUNK_PACKETS 4u /* read from a client in one go */
#define CHUNKS 4         /* of a client that is alone, in one turn */
#define FEW (16u << 10)  /* read at once for a channel that has never had more */
#define SOME (32u << 10)
#define WINDOW_MOST (16u << 20)
#define WINDOW_BUDGET (16u << 20) /* of all channels */

static char passing[CHUNK_PACKETS * PACKET + 1024];

static bool fatal(ssize_t result)
{
    return result < 0 && result != LIBSSH2_ERROR_EAGAIN;
}

/* As far as it is of use now. */
static void channel_want(struct channel *c)
{
    bool reads = !c->local_end && !c->paused;

    if (c->join)
        loop_want(&c->local, (reads ? LOOP_READ : 0u) | (c->down.start < c->down.end ? LOOP_WRITE : 0u));
}

/* --- from the far side to the client --- */

/* How much of it the client took; -1: it is gone. */
static ssize_t give(struct channel *c, const char *from, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t sent = send(c->join->fd, from + done, n - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0 && errno != EINTR)
            return -1;
        done += sent > 0 ? (size_t)sent : 0;
    }
    return (ssize_t)done;
}

/* What was kept goes first. False: there is still some, or the client is gone. */
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

/* libssh2 fills the window up by itself once what is left falls below three quarters of the first one and
 * what is to be read: what is read at once is chosen so that it never comes to that. */
static size_t portion(const struct channel *c)
{
    size_t quarter = c->window / 4 < sizeof passing ? c->window / 4 : sizeof passing;

    return !c->bulk ? FEW : quarter < SOME ? SOME : quarter;
}

static size_t low_water(const struct channel *c)
{
    size_t half = c->window / 2, theirs = CHANNEL_WINDOW / 4 * 3 + portion(c);

    return half > theirs ? half : theirs;
}

/* All that could be sent before one of the last grants has come, and nothing of what could be sent since. */
static bool stands_at_limit(const struct channel *c)
{
    for (size_t i = 0; i < ARRAY_LEN(c->limits); i++) {
        if (c->limits[i] && c->limits[i] == c->came)
            return true;
    }
    return false;
}

/*
 * Fills the window up when about half of it is used, and doubles it where the far side was waiting for us:
 * once for what it has been granted so far. On a long way several grants are on their way at any time.
 */
static void grant(struct session *s, struct channel *c, bool dry)
{
    size_t share = WINDOW_BUDGET / (pool_channels() + 1);
    size_t most = share > WINDOW_MOST ? WINDOW_MOST : share < CHANNEL_WINDOW ? CHANNEL_WINDOW : share;
    unsigned long left = libssh2_channel_window_read_ex(c->ssh, NULL, NULL);
    bool waited = dry && s->drained && c->bulk && stands_at_limit(c) && c->window * 2 <= most;

    if (c->window > most)
        c->window = (uint32_t)most;
    if (left >= low_water(c) && !waited && !c->owed)
        return;
    c->bulk = true;
    if (waited) {
        c->window *= 2;
        memset(c->limits, 0, sizeof c->limits);
    }
    unsigned long more = c->owed ? c->owed : left < c->window ? c->window - left : 0;
    if (!more)
        return;
    if (!c->owed) {
        c->limits[c->grants++ % ARRAY_LEN(c->limits)] = c->limit;
        c->limit += more;
    }
    /* What was begun is to be repeated as it was. */
    c->owed =
        libssh2_channel_receive_window_adjust2(c->ssh, more, 1, NULL) == LIBSSH2_ERROR_EAGAIN ? more : 0;
    if (c->owed)
        c->again = s->again = true;
}

static void keep_down(struct channel *c, const char *from, size_t n)
{
    memcpy(bytes_room(&c->down, n), from, n);
    c->down.end += n;
    channel_want(c);
}

int channel_deliver(struct session *s, struct channel *c)
{
    c->again = false;
    while (c->join && !c->far_end && c->down.start == c->down.end) {
        grant(s, c, false);
        ssize_t got = libssh2_channel_read(c->ssh, passing, portion(c));
        if (fatal(got))
            return -1;
        if (got <= 0) {
            c->far_end = libssh2_channel_eof(c->ssh) > 0;
            if (c->far_end)
                (void)shutdown(c->join->fd, SHUT_WR);
            grant(s, c, true);
            return 0;
        }
        s->moved += (uint64_t)got;
        c->came += (uint64_t)got;
        ssize_t sent = give(c, passing, (size_t)got);
        if (sent < 0)
            channel_end(c);
        else if (sent < got)
            keep_down(c, passing + sent, (size_t)(got - sent));
    }
    return 0;
}

/* --- from the client to the far side --- */

bool channel_may_send(struct session *s, const struct channel *c)
{
    return !io_stuffed(s) && libssh2_channel_window_write_ex(c->ssh, NULL) > 0;
}

/* 1: all of it, 0: the far side takes no more now, -1: broken. */
static int pass_on(struct session *s, struct channel *c, const char *from, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t sent = libssh2_channel_write(c->ssh, from + done, n - done);
        if (fatal(sent))
            return -1;
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    s->moved += done;
    if (done == n)
        return 1;
    memcpy(bytes_room(&c->up, n - done), from + done, n - done);
    c->up.end += n - done;
    return 0;
}

/* While keys are exchanged, nothing can be sent. */
static int send_kept(struct session *s, struct channel *c)
{
    struct bytes kept = c->up;

    if (kept.start == kept.end)
        return 1;
    c->up = (struct bytes){0};
    int result = pass_on(s, c, kept.at + kept.start, kept.end - kept.start);
    bytes_release(&kept);
    return result;
}

/* 1: there may be more, 0: not now, -1: broken. */
static int take_chunk(struct session *s, struct channel *c)
{
    unsigned long window = libssh2_channel_window_write_ex(c->ssh, NULL);
    size_t n = window < CHUNK_PACKETS * PACKET ? window : CHUNK_PACKETS * PACKET;
    ssize_t got = recv(c->join->fd, passing, n, 0);

    if (got > 0) {
        c->readable = (size_t)got == n;
        int result = pass_on(s, c, passing, (size_t)got);
        /* To the server's own socket a client sends its password in clear; bulk is not worth it. */
        if ((size_t)got <= PACKET)
            explicit_bzero(passing, (size_t)got);
        return result;
    }
    c->readable = false;
    c->local_end = got == 0;
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        channel_end(c);
    return 0;
}

int channel_take(struct session *s, struct channel *c)
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
    if (c->join && c->local_end && !c->end_sent && c->up.start == c->up.end)
        c->end_sent = libssh2_channel_send_eof(c->ssh) != LIBSSH2_ERROR_EAGAIN;
    channel_want(c);
    return 0;
}

/* --- its socket --- */

static void local_ready(struct watch *w, unsigned events)
{
    struct channel *c = OWNER_OF(w, struct channel, local);
    struct session *s = c->session;

    if (events & LOOP_READ)
        c->readable = true;
    if (events & LOOP_WRITE && c->down.start < c->down.end && give_kept(c)) {
        c->again = s->again = true;
        channel_want(c);
    }
    pool_wake(s);
}

void channel_watch(struct channel *c)
{
    loop_watch(&c->local, c->join->fd, LOOP_READ, local_ready);
}
