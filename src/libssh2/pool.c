/* SPDX-License-Identifier: MIT */
/*
 * The sessions of the libssh2 engine: one, and under load up to four, logged in one after another.
 * Connections wait in one queue for a session that can open a channel, the least busy one first, so that a
 * target that does not answer blocks one session and not all. A lost session ends its connections; the next
 * connection logs in again, after a pause that grows with each failure.
 */
#include "pool.h"
#include "channel.h"

#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <event/sock.h>

#define SESSIONS_MOST 4
#define SPARE_MS 60000
#define SLEPT_MS 2000

struct pool pool = {.host_key = BUF_INIT(SSH_BLOB_MAX)};

size_t pool_channels(void)
{
    size_t count = 0;

    for (const struct ssh_session *s = pool.sessions; s; s = s->next)
        count += s->count;
    return count;
}

size_t pool_large(void)
{
    size_t count = 0;

    for (const struct ssh_session *s = pool.sessions; s; s = s->next)
        count += channel_large(s);
    return count;
}

unsigned pool_count(enum session_state from, enum session_state to)
{
    unsigned count = 0;

    for (const struct ssh_session *s = pool.sessions; s; s = s->next)
        count += s->state >= from && s->state <= to;
    return count;
}

bool pool_is_spare(const struct ssh_session *s)
{
    return s->count == 0 && !s->opening && pool_count(SESSION_UP, SESSION_UP) > 1 &&
           clock_ms() - s->idle_since > SPARE_MS;
}

void pool_check_sleep(void)
{
    int64_t slept = clock_slept_ms();

    if (slept - pool.slept > SLEPT_MS) {
        for (struct ssh_session *s = pool.sessions; s; s = s->next)
            session_doubt(s);
    }
    pool.slept = slept;
}

/* --- sessions --- */

void pool_start_session(void)
{
    struct ssh_session *s = session_start(pool.settings, &pool.credentials, &pool.host_key, pool.events);

    s->next = pool.sessions;
    pool.sessions = s;
}

bool pool_may_log_in(void)
{
    return pool.credentials.proven && !pool.credentials.person;
}

void pool_start_another(void)
{
    if (pool_count(SESSION_DIALLING, SESSION_LOGIN) == 0 &&
        pool_count(SESSION_DIALLING, SESSION_UP) < SESSIONS_MOST && pool_may_log_in() &&
        !pool.credentials.costly && !restart_waits(&pool.restart, NULL))
        pool_start_session();
}

bool pool_log_in_again(struct err *e)
{
    if (pool_count(SESSION_DIALLING, SESSION_UP) > 0)
        return true;
    if (!pool_may_log_in()) {
        err_copy(e, &pool.restart.why);
        return false;
    }
    if (restart_waits(&pool.restart, e))
        return false;
    pool_start_session();
    return true;
}

bool pool_is_full(void)
{
    bool any = false;

    for (const struct ssh_session *s = pool.sessions; s; s = s->next) {
        any |= s->state == SESSION_UP;
        if (s->state != SESSION_ENDED && channel_has_room(s))
            return false;
    }
    return any;
}

/* Chooses among the sessions that can open a channel now. */
struct ssh_session *pool_least_busy(void)
{
    struct ssh_session *best = NULL;

    for (struct ssh_session *s = pool.sessions; s; s = s->next) {
        if (s->state != SESSION_UP || s->opening || s->doubted || !channel_has_room(s))
            continue;
        if (!best || s->count < best->count)
            best = s;
    }
    return best;
}

bool pool_is_up(void)
{
    return pool_count(SESSION_UP, SESSION_UP) > 0;
}
