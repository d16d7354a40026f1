/* SPDX-License-Identifier: MIT */
/*
 * The libssh2 engine: its work per iteration of the event loop, and what it does when a session is up or has
 * ended. A lost session ends its connections; the next connection logs in again, after a pause that grows
 * with each failure.
 */
#include "channel.h"
#include "methods.h"
#include "pool.h"

#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <event/sock.h>

static void reap(void)
{
    for (struct ssh_session **at = &pool.sessions; *at;) {
        struct ssh_session *s = *at;
        if (s->state != SESSION_ENDED) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        session_free(s);
    }
}

static bool engine_turn(void)
{
    bool again = false;

    for (struct ssh_session *s = pool.sessions; s; s = s->next) {
        if (!s->busy || s->state != SESSION_UP)
            continue;
        uint64_t taken = s->taken;
        s->busy = false;
        if (channels_turn(s) < 0)
            session_end(s, NULL);
        else if (s->in.start < s->in.end && s->taken > taken)
            s->busy = true; /* more data may be available */
    }
    queue_assign();
    reap();
    for (const struct ssh_session *s = pool.sessions; s; s = s->next)
        again |= s->busy && s->state == SESSION_UP;
    return again;
}

static void session_up(struct ssh_session *s)
{
    void (*opened)(const struct err *, const char *) = pool.opened;

    pool.restart.pause = 0;
    s->busy = true;
    pool.opened = NULL;
    if (opened)
        opened(NULL, NULL);
    queue_assign();
}

static void remember_reason(const struct ssh_session *s, const struct err *e, bool was_up)
{
    err_copy(&pool.restart.why, e);
    if (pool.credentials.person) {
        (void)err_set(&pool.restart.why, ERR_UNREACHABLE,
                      "ssh %s: the session is lost, and a new login needs a one-time code",
                      ssh_who(s->settings));
        (void)err_hint(&pool.restart.why, "stop it and start it again");
    }
    if (!was_up)
        restart_pause(&pool.restart);
}

static void credentials_forget(void)
{
    ssh_keys_release(&pool.credentials.keys);
    secret_free(pool.credentials.password);
    pool.credentials = (struct credentials){0};
}

static void session_ended(struct ssh_session *s, const struct err *e, const char *cannot)
{
    void (*opened)(const struct err *, const char *) = pool.opened;

    pool.opened = NULL;
    if (opened) {
        credentials_forget(); /* another engine may be used next, which reads the keys itself */
        opened(e, cannot);
        return;
    }
    struct err lost = ERR_INIT;
    if (cannot)
        (void)err_set(&lost, ERR_UNREACHABLE, "ssh %s: a different server answers now: %s",
                      ssh_who(s->settings), cannot);
    else
        lost = *e;
    log_step("route", "%s", lost.msg);
    remember_reason(s, &lost, s->was_up);
    queue_take_back(s, &pool.restart.why);
    if (pool_count(SESSION_DIALLING, SESSION_UP) > 0)
        queue_assign();
    else if (queue_waits() && pool_may_log_in() && s->was_up)
        pool_start_session();
    else
        queue_refuse_all(&pool.restart.why);
}

static void engine_open(const struct ssh_settings *settings,
                        void (*opened)(const struct err *e, const char *why))
{
    (void)libssh2_init(0);
    static const struct session_events events = {
        .up = session_up, .ended = session_ended, .is_spare = pool_is_spare, .look = pool_check_sleep};

    pool.events = &events;
    pool.settings = settings;
    pool.opened = opened;
    pool.slept = clock_slept_ms();
    loop_each_turn(engine_turn);
    pool_start_session();
}

static void engine_close(void)
{
    pool.opened = NULL;
    loop_each_turn(NULL);
    queue_close();
    while (pool.sessions) {
        struct ssh_session *s = pool.sessions;
        session_disconnect(s);
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
                                       .open = engine_open,
                                       .handoff = queue_handoff,
                                       .cancel = queue_cancel,
                                       .heard = queue_heard,
                                       .is_up = pool_is_up,
                                       .close = engine_close};
