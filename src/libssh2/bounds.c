/* SPDX-License-Identifier: MIT */
/*
 * Limits the resources of a session, whatever its server sends: memory, bytes before the login, and useless
 * bytes afterwards. libssh2 has no such limits: it queues unrequested packets forever, even before the host
 * key is known. If a limit is exceeded, it is recorded as the session's `abuse`; the session then reads
 * nothing more and ends.
 */
#include "channel.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>

#define UNVERIFIED_MEMORY ((size_t)1 << 20) /* memory limit before the host key is accepted */
#define PIECES_MOST 131072u /* limit of memory blocks; libssh2 searches its packets linearly */
#define LOGIN_PIECES 4096u
#define UNOWNED_PIECES 8192u
#define SMALL 4096u /* always granted: the session ends soon, and libssh2 need not handle the failure */
#define UNVERIFIED_BYTES (512u << 10)
#define LOGIN_BYTES (1u << 20)
#define IDLE_BYTES ((int64_t)1 << 20) /* useless bytes: rekeys, padding, ignored packets */
#define IDLE_BYTES_PER_MS 64
#define USEFUL_FOR 16    /* each byte of a connection allows this many useless ones */
#define WIPED_MOST 4096u /* after the login, larger blocks hold bulk data and are not wiped */

static bool is_too_much(struct ssh_session *s, size_t more)
{
    size_t most = s->accepted ? SESSION_MEMORY : UNVERIFIED_MEMORY;

    if (s->held + more > most || s->pieces >= (s->state == SESSION_UP ? PIECES_MOST : LOGIN_PIECES))
        s->abuse = "the server makes it buffer more than a session may use";
    return s->abuse;
}

/* Replaces a pointer in the list of this login's memory blocks. */
static void replace(struct ssh_session *s, const void *old, const void *by)
{
    for (size_t i = 0; i < YOUNG_MOST; i++) {
        if (s->young[i] == old) {
            s->young[i] = by;
            return;
        }
    }
}

/* Returns malloc's own blocks, without a header, because libssh2 1.11 releases some with free(). */
void *bounds_alloc(size_t n, void **abstract)
{
    struct ssh_session *s = *abstract;
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
    struct ssh_session *s = *abstract;
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

static void pay(struct ssh_session *s, int64_t n)
{
    if (s->idle_bytes > 0)
        s->idle_bytes = n < s->idle_bytes ? s->idle_bytes - n : 0;
}

/* Reduces the count of useless bytes as time passes. */
static void forgive(struct ssh_session *s)
{
    int64_t now = clock_ms();

    pay(s, (now - s->idle_looked) * IDLE_BYTES_PER_MS);
    s->idle_looked = now;
}

void bounds_taken(struct ssh_session *s, size_t n)
{
    s->taken += n;
    if (s->state != SESSION_UP) {
        if (s->taken > (s->accepted ? LOGIN_BYTES : UNVERIFIED_BYTES))
            s->abuse = "the server sends more than a login needs";
        return;
    }
    s->idle_bytes += (int64_t)n;
    /* Data in libssh2's queue is useful, or limited elsewhere. */
    if (s->idle_bytes > IDLE_BYTES + (int64_t)s->held)
        forgive(s);
    if (s->idle_bytes > IDLE_BYTES + (int64_t)s->held)
        s->abuse = "the server sends too much useless data";
}

/* A packet that a connection waits for has at least one byte and takes two blocks; so does an answer that
 * broker sends. */
void bounds_look(struct ssh_session *s)
{
    size_t explained = UNOWNED_PIECES + 2 * s->questions;

    if (s->pieces < UNOWNED_PIECES)
        s->look_at = UNOWNED_PIECES;
    if (s->pieces < s->look_at)
        return;
    for (size_t i = 0; i < s->count; i++)
        explained += 2 * channel_queued(s->channels[i]);
    if (s->pieces > explained)
        s->abuse = "the server makes it buffer data that belongs to no connection";
    s->look_at = s->pieces + s->pieces / 2;
}

void bounds_moved(struct ssh_session *s, size_t n)
{
    pay(s, (int64_t)n * USEFUL_FOR);
}

void bounds_unread(struct ssh_session *s, size_t n)
{
    s->idle_bytes -= (int64_t)n;
}
