/*
 * What one session may cost, whatever its server sends: memory, bytes before anybody is logged in, and bytes
 * that come to nothing afterwards. libssh2 has no such bounds: packets that nobody asked for are queued for
 * ever, also before the host key is known. What passes a bound is remembered as the session's `abuse`; it
 * reads nothing more then, and ends.
 */
#include "parts.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>

#define STRANGER_MEMORY ((size_t)1 << 20) /* before the host key is accepted */
#define PIECES_MOST 131072u               /* libssh2 looks through its packets one by one */
#define LOGIN_PIECES 4096u
#define NOBODYS_PIECES 8192u
#define SMALL 4096u /* always given: the session ends soon, and libssh2 need not cope */
#define STRANGER_BYTES (512u << 10)
#define LOGIN_BYTES (1u << 20)
#define IDLE_BYTES ((int64_t)1 << 20) /* for nothing: keys are changed, packets are padded and ignored */
#define IDLE_BYTES_PER_MS 64
#define USEFUL_FOR 16    /* each byte of a connection's pays for so many others */
#define WIPED_MOST 4096u /* bulk is not worth it, and no secret is as long */

static bool is_too_much(struct session *s, size_t more)
{
    size_t most = s->accepted ? SESSION_MEMORY : STRANGER_MEMORY;

    if (s->held + more > most || s->pieces >= (s->state == SESSION_UP ? PIECES_MOST : LOGIN_PIECES))
        s->abuse = "the server makes it keep more than a session may have";
    return s->abuse;
}

/* Among the pieces of this login. */
static void replace(struct session *s, const void *old, const void *by)
{
    for (size_t i = 0; i < YOUNG_MOST; i++) {
        if (s->young[i] == old) {
            s->young[i] = by;
            return;
        }
    }
}

/* malloc's own blocks, without a header of ours: libssh2 1.11 gives some back with free(). */
void *bounds_alloc(size_t n, void **abstract)
{
    struct session *s = *abstract;
    void *at;

    if (is_too_much(s, n) && n > SMALL)
        return NULL;
    at = malloc(n ? n : 1);
    if (at) {
        s->held += malloc_usable_size(at);
        s->pieces++;
        if (s->state == SESSION_LOGIN)
            replace(s, NULL, at);
    }
    return at;
}

void bounds_free(void *at, void **abstract)
{
    struct session *s = *abstract;
    size_t n = at ? malloc_usable_size(at) : 0;

    if (!at)
        return;
    if (s->state != SESSION_UP || s->opening)
        peek_packet(s, at, n);
    if (s->state != SESSION_UP)
        replace(s, at, NULL);
    if (s->state != SESSION_UP || n <= WIPED_MOST)
        explicit_bzero(at, n);
    s->held -= n;
    s->pieces--;
    free(at);
}

void *bounds_realloc(void *at, size_t n, void **abstract)
{
    void *new = bounds_alloc(n, abstract);

    if (new &&at) {
        size_t had = malloc_usable_size(at);
        memcpy(new, at, had < n ? had : n);
        bounds_free(at, abstract);
    }
    return new;
}

static void pay(struct session *s, int64_t n)
{
    if (s->idle_bytes > 0)
        s->idle_bytes = n < s->idle_bytes ? s->idle_bytes - n : 0;
}

/* Once in a while: what came for nothing is forgiven with time. */
static void forgive(struct session *s)
{
    int64_t now = clock_ms();

    pay(s, (now - s->idle_looked) * IDLE_BYTES_PER_MS);
    s->idle_looked = now;
}

void bounds_taken(struct session *s, size_t n)
{
    s->taken += n;
    if (s->state != SESSION_UP) {
        if (s->taken > (s->accepted ? LOGIN_BYTES : STRANGER_BYTES))
            s->abuse = "the server sends more than a login takes";
        return;
    }
    s->idle_bytes += (int64_t)n;
    /* What is held will be of use, or is bounded by itself. */
    if (s->idle_bytes > IDLE_BYTES + (int64_t)s->held)
        forgive(s);
    if (s->idle_bytes > IDLE_BYTES + (int64_t)s->held)
        s->abuse = "the server sends too much that is of no use";
}

/* A packet that a connection waits for has a byte at least, and takes two pieces; an answer of ours as well.
 */
void bounds_look(struct session *s)
{
    size_t explained = NOBODYS_PIECES + 2 * s->questions;

    if (s->pieces < NOBODYS_PIECES)
        s->look_at = NOBODYS_PIECES;
    if (s->pieces < s->look_at)
        return;
    for (size_t i = 0; i < s->count; i++)
        explained += 2 * channel_queued(s->channels[i]);
    if (s->pieces > explained)
        s->abuse = "the server makes it keep what belongs to no connection";
    s->look_at = s->pieces + s->pieces / 2;
}

void bounds_moved(struct session *s, size_t n)
{
    s->moved += n;
    pay(s, (int64_t)n * USEFUL_FOR);
}

void bounds_unread(struct session *s, size_t n)
{
    s->idle_bytes -= (int64_t)n;
}
