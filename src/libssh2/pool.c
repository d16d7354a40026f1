/*
 * The sessions of the engine libssh2: one, more under load, up to four, logged in one after another.
 * Connections wait in one queue for a session that has its slot for opening free, the least busy one first;
 * so a target that does not answer holds up a session and not all. A session that is lost takes its
 * connections with it; the next connection logs in again, after a while that grows where that fails.
 */
#include "parts.h"

#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <event/sock.h>

#define SESSIONS_MOST 4
#define BUSY_BYTES (8u << 20) /* a session that moved so much lately is busy */
#define BUSY_CHANNELS 64
#define SPARE_MS 60000
#define BACK_OFF_MS 500
#define BACK_OFF_MOST_MS 30000
#define SLEPT_MS 2000

static struct {
    const struct ssh_settings *settings;
    void (*opened)(const struct err *e, const char *why);
    struct session *sessions;
    struct credentials credentials;
    struct buf host_key;
    struct turn_hook hook;
    struct timer again;
    bool in_turn;
    struct err reason; /* of the last login that failed */
    int64_t back_off, not_before;
    int64_t slept;
} pool = {.host_key = BUF_INIT(SSH_BLOB_MAX)};

struct credentials *pool_credentials(void)
{
    return &pool.credentials;
}

struct buf *pool_host_key(void)
{
    return &pool.host_key;
}

const struct ssh_settings *pool_settings(void)
{
    return pool.settings;
}

size_t pool_channels(void)
{
    size_t count = 0;

    for (const struct session *s = pool.sessions; s; s = s->next)
        count += s->count;
    return count;
}

size_t pool_large(void)
{
    size_t count = 0;

    for (const struct session *s = pool.sessions; s; s = s->next)
        count += channel_large(s);
    return count;
}

static unsigned count_in(enum session_state from, enum session_state to)
{
    unsigned count = 0;

    for (const struct session *s = pool.sessions; s; s = s->next)
        count += s->state >= from && s->state <= to;
    return count;
}

bool pool_is_spare(const struct session *s)
{
    return s->count == 0 && !s->opening && count_in(SESSION_UP, SESSION_UP) > 1 &&
           clock_ms() - s->idle_since > SPARE_MS;
}

void pool_check_sleep(void)
{
    int64_t slept = clock_slept_ms();

    if (slept - pool.slept > SLEPT_MS) {
        for (struct session *s = pool.sessions; s; s = s->next)
            session_doubt(s);
    }
    pool.slept = slept;
}

/* --- turns --- */

static void nothing(struct timer *t)
{
    (void)t;
}

void pool_turn_again(void)
{
    timer_set(&pool.again, clock_ms(), nothing);
}

void pool_wake(struct session *s)
{
    s->busy = true;
    if (pool.in_turn)
        pool_turn_again();
}

static void reap(void)
{
    for (struct session **at = &pool.sessions; *at;) {
        struct session *s = *at;
        if (s->state != SESSION_ENDED) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        session_free(s);
    }
}

static void pool_turn(struct turn_hook *h)
{
    (void)h;
    pool.in_turn = true;
    for (struct session *s = pool.sessions; s; s = s->next) {
        if (!s->busy || s->state != SESSION_UP)
            continue;
        uint64_t taken = s->taken;
        s->busy = false;
        if (channels_turn(s) < 0)
            session_end(s, NULL);
        else if (s->in.start < s->in.end && s->taken > taken)
            pool_wake(s); /* there may be more of what it could take */
    }
    if (queue_waits())
        queue_assign();
    if (queue_waits() && pool_is_full())
        pool_start_another();
    pool.in_turn = false;
    reap();
}

/* --- sessions --- */

static void start_session(void)
{
    struct session *s = session_start(pool.settings);

    s->next = pool.sessions;
    pool.sessions = s;
}

static bool may_log_in(void)
{
    return pool.credentials.proven && !pool.credentials.person;
}

void pool_start_another(void)
{
    if (count_in(SESSION_DIALLING, SESSION_LOGIN) == 0 &&
        count_in(SESSION_DIALLING, SESSION_UP) < SESSIONS_MOST && may_log_in() && !pool.credentials.costly &&
        clock_ms() >= pool.not_before)
        start_session();
}

bool pool_log_in_again(struct err *e)
{
    if (count_in(SESSION_DIALLING, SESSION_UP) > 0)
        return true;
    if (!may_log_in() || clock_ms() < pool.not_before) {
        err_copy(e, &pool.reason);
        if (may_log_in())
            (void)ssh_hint_pause(pool.not_before - clock_ms(), e);
        return false;
    }
    start_session();
    return true;
}

/* Halved each second, so that it is what was moved lately. */
static uint64_t load(struct session *s)
{
    int64_t now = clock_ms();

    for (; s->moved_until + 1000 <= now && s->moved; s->moved_until += 1000)
        s->moved /= 2;
    if (!s->moved)
        s->moved_until = now;
    return s->moved;
}

bool pool_is_busy(struct session *s)
{
    return load(s) > BUSY_BYTES || s->count >= BUSY_CHANNELS;
}

bool pool_is_full(void)
{
    bool any = false;

    for (const struct session *s = pool.sessions; s; s = s->next) {
        any |= s->state == SESSION_UP;
        if (s->state != SESSION_ENDED && channel_has_room(s))
            return false;
    }
    return any;
}

/* Among the sessions that can open a channel now. */
struct session *pool_least_busy(void)
{
    struct session *best = NULL;

    for (struct session *s = pool.sessions; s; s = s->next) {
        if (s->state != SESSION_UP || s->opening || s->doubted || !channel_has_room(s))
            continue;
        if (!best || pool_is_busy(s) < pool_is_busy(best) ||
            (pool_is_busy(s) == pool_is_busy(best) && s->count < best->count))
            best = s;
    }
    return best;
}

/* --- sessions come and go --- */

void pool_session_up(struct session *s)
{
    void (*opened)(const struct err *, const char *) = pool.opened;

    pool.back_off = 0;
    pool_wake(s);
    pool.opened = NULL;
    if (opened)
        opened(NULL, NULL);
    queue_assign();
}

static void remember_reason(const struct session *s, const struct err *e, bool was_up)
{
    err_copy(&pool.reason, e);
    if (pool.credentials.person) {
        (void)err_set(&pool.reason, ERR_UNREACHABLE,
                      "ssh %s: the session is lost, and to log in again needs a person's code",
                      session_who(s->settings));
        (void)err_hint(&pool.reason, "end this and start it again");
    }
    if (was_up)
        return;
    pool.back_off = pool.back_off ? pool.back_off * 2 : BACK_OFF_MS;
    if (pool.back_off > BACK_OFF_MOST_MS)
        pool.back_off = BACK_OFF_MOST_MS;
    pool.not_before = clock_ms() + pool.back_off;
}

static void credentials_forget(void)
{
    ssh_keys_release(&pool.credentials.keys);
    secret_free(pool.credentials.password);
    pool.credentials = (struct credentials){0};
}

void pool_session_ended(struct session *s, const struct err *e, const char *cannot)
{
    void (*opened)(const struct err *, const char *) = pool.opened;

    pool_turn_again();
    pool.opened = NULL;
    if (opened) {
        credentials_forget(); /* another engine may be next, which reads the keys itself */
        opened(e, cannot);
        return;
    }
    struct err lost = ERR_INIT;
    if (cannot)
        (void)err_set(&lost, ERR_UNREACHABLE, "ssh %s: it is another server now: %s",
                      session_who(s->settings), cannot);
    else
        lost = *e;
    log_step("way", "%s", lost.msg);
    remember_reason(s, &lost, s->was_up);
    queue_take_back(s, &pool.reason);
    if (count_in(SESSION_DIALLING, SESSION_UP) > 0)
        queue_assign();
    else if (queue_waits() && may_log_in() && s->was_up)
        start_session();
    else
        queue_refuse_all(&pool.reason);
}

/* --- the engine --- */

static void pool_open(const struct ssh_settings *settings,
                      void (*opened)(const struct err *e, const char *why))
{
    (void)libssh2_init(0);
    pool.settings = settings;
    pool.opened = opened;
    pool.slept = clock_slept_ms();
    loop_each_turn(&pool.hook, pool_turn);
    start_session();
}

bool pool_is_up(void)
{
    return count_in(SESSION_UP, SESSION_UP) > 0;
}

static void pool_close(void)
{
    pool.opened = NULL;
    loop_no_turn(&pool.hook);
    timer_clear(&pool.again);
    queue_close();
    while (pool.sessions) {
        struct session *s = pool.sessions;
        session_disconnect(s);
        loop_forget(&s->socket);
        timer_clear(&s->timer);
        timer_clear(&s->unread);
        pool.sessions = s->next;
        session_free(s);
    }
    credentials_forget();
    buf_release(&pool.host_key);
}

const struct ssh_engine ssh_libssh2 = {.name = "libssh2",
                                       .can = libssh2_can,
                                       .open = pool_open,
                                       .join = queue_join,
                                       .leave = queue_leave,
                                       .heard = queue_heard,
                                       .is_up = pool_is_up,
                                       .close = pool_close};
