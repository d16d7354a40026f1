/* SPDX-License-Identifier: MIT */
/*
 * Stores one credential at a time, in the arena: until it expires, and not longer than a minute after its
 * last use, unless it cannot be requested again. A new one is requested over a socket pair, in git's
 * credential protocol, so that the keeper need not know about providers. One request runs at a time, and
 * serves all connections that wait.
 */
#include "credential.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <event/wall_timer.h>

#include "credential_request.h"
#include "options.h"

/* How long a credential must still be valid, to allow for a slow login. */
#define MARGIN_S 30
#define IDLE_MS 60000
#define ANEW_MS 60000
#define END_MS 5000
/* A user younger than this may not have reached the server's replica yet. */
#define NEW_S 10
#define RENEW_AGAIN_MS 10000
#define RENEW_LEAST_MS 1000

static struct {
    struct login_credential *value;
    char *user;           /* its user; kept when the credential is wiped */
    time_t expires, made; /* expires 0: never; made 0: not known */
    bool is_static;
    struct wall_timer end; /* wipes the credential */
    struct wall_timer renew;
} kept;

static struct credential_wait *waiting;
static enum credential_how how;
static struct file_lock in_use = {.fd = -1};
static int64_t anew_after; /* when a refused credential may be replaced again */

unsigned (*credential_sessions)(void);

/* --- the stored credential */

static void drop(void)
{
    wall_timer_clear(&kept.end);
    login_credential_drop(kept.value);
    kept.value = NULL;
}

static void end_came(struct wall_timer *t)
{
    (void)t;
    drop();
}

static int64_t left_ms(void)
{
    int64_t left = ((int64_t)kept.expires - (int64_t)time(NULL)) * 1000;

    return left > 0 ? left : 0;
}

/* The clock may be changed meanwhile, so the time is checked at each use. */
static bool is_good(const char *user)
{
    if (!kept.value)
        return false;
    if (!kept.expires)
        return true;
    bool preferred = user && text_equal(user, kept.value->user);
    return left_ms() > (preferred ? 0 : MARGIN_S * 1000);
}

static void set_end(void)
{
    int64_t life = kept.expires ? left_ms() : INT64_MAX;

    if (!kept.is_static && life > IDLE_MS)
        life = IDLE_MS;
    wall_timer_clear(&kept.end);
    if (life < INT64_MAX)
        wall_timer_set(&kept.end, life, end_came);
}

static void ask(enum credential_how as);

/* Requests a renewal now, because the user of a session must not expire before the session ends. */
static void renew_came(struct wall_timer *t)
{
    if (!credential_sessions || !credential_sessions())
        return;
    if (credential_request_runs())
        wall_timer_set(t, RENEW_AGAIN_MS, renew_came);
    else
        ask(CREDENTIAL_RENEWED);
}

/* broker returns the same credential until shortly before the user expires, and renews it then. */
static void set_renewal(void)
{
    int64_t left = left_ms(), wait = left > MARGIN_S * 1000 ? left : left / 2;

    wall_timer_clear(&kept.renew);
    if (kept.made && kept.expires)
        wall_timer_set(&kept.renew, wait > RENEW_LEAST_MS ? wait : RENEW_LEAST_MS, renew_came);
}

/* Tries again while there is time. */
static void renewal_failed(const struct err *e)
{
    int64_t end = ((int64_t)kept.expires + MARGIN_S - (int64_t)time(NULL)) * 1000;
    AUTO_BUF(time, 32);

    clock_format_duration(&time, end > 0 ? end : 0);
    log_warn(e->hint, "cannot renew the database user, which ends in %s: %s", buf_str(&time), e->msg);
    if (end > RENEW_AGAIN_MS)
        wall_timer_set(&kept.renew, RENEW_AGAIN_MS, renew_came);
}

/* Takes a lock, so that only the last of several keepers deletes the user. */
static void hold_user(const char *user)
{
    AUTO_FREE(char *, name);
    struct err e = ERR_INIT;
    char hash[33];

    if (!opt.revokes || !kept.made)
        return;
    text_hash(user, strlen(user), hash);
    name = mem_printf("user-%s", hash);
    file_unlock_shared(&in_use);
    if (file_lock_shared(name, &in_use, &e) < 0)
        log_warn(NULL, "%s", e.msg);
}

/* Takes ownership of `user` and `password`. */
static void keep(char *user, struct secret *password, time_t expires, time_t made)
{
    bool is_another = !text_equal(kept.user, user);

    drop();
    free(kept.user);
    kept.user = mem_strdup(user);
    kept.value = login_credential_new(user, password);
    kept.expires = expires;
    kept.made = made;
    if (is_another)
        hold_user(user);
    set_end();
    set_renewal();
}

static bool is_whole(const char *user, const struct secret *password)
{
    return user && password && strlen(secret_bytes(password)) == secret_len(password);
}

int credential_give(const struct record *given, struct err *e)
{
    struct field f;
    char *user = record_str(given, KEEPER_TAG_USER);
    struct secret *password = record_secret(given, KEEPER_TAG_SECRET);

    if (!user)
        user = mem_strdup(opt.user);
    if (!is_whole(user, password)) {
        free(user);
        secret_free(password);
        return err_set(e, ERR_PROTOCOL, "the credential is incomplete");
    }
    kept.is_static = record_find(given, KEEPER_TAG_STATIC, &f);
    keep(user, password, (time_t)record_u64(given, KEEPER_TAG_EXPIRES, 0),
         (time_t)record_u64(given, KEEPER_TAG_MADE, 0));
    return 0;
}

void credential_used(void)
{
    set_end();
}

bool credential_refused(const struct login_credential *c, bool fresh)
{
    if (kept.value && kept.value != c)
        return true;
    if (kept.is_static || fresh || clock_left(anew_after) > 0)
        return false;
    anew_after = clock_deadline(ANEW_MS, CLOCK_NEVER);
    drop();
    return true;
}

int credential_patience(const struct login_credential *c, unsigned tries)
{
    static const int naps_ms[] = {200, 500, 1000, 2000};

    if (tries >= ARRAY_LEN(naps_ms) || c != kept.value || !kept.made || time(NULL) - kept.made >= NEW_S)
        return -1;
    return naps_ms[tries];
}

/* --- requests to broker */

/* Returns whether the result of the current request is for this connection: a credential that may have been
 * refused is not for one that wants another, and the failure of a renewal is not for any. */
static bool is_answered(const struct credential_wait *w, bool got)
{
    return got ? how == CREDENTIAL_ANEW || !w->anew : how != CREDENTIAL_RENEWED;
}

static void answer_all(struct login_credential *c, const struct err *e)
{
    struct credential_wait **at = &waiting;

    while (*at && !credential_request_runs()) {
        struct credential_wait *w = *at;
        if (!is_answered(w, c)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->fresh = true;
        w->done(w, c, e);
        at = &waiting; /* done() may have changed the list */
    }
    if (waiting && !credential_request_runs())
        ask(waiting->anew ? CREDENTIAL_ANEW : CREDENTIAL_KEPT);
}

static void fail(const struct err *e)
{
    if (how == CREDENTIAL_RENEWED)
        renewal_failed(e);
    else
        log_warn(e->hint, "%s", e->msg);
    answer_all(NULL, e);
}

static void answered(struct credential_answer *a, const struct err *why)
{
    struct err e = ERR_INIT;

    if (a && !a->user)
        a->user = mem_strdup(opt.user);
    if (a && how == CREDENTIAL_RENEWED && !text_equal(a->user, kept.user)) {
        (void)err_set(&e, ERR_REFUSED, "replaced by a newer one");
        a = NULL;
        why = &e;
    }
    if (a && !is_whole(a->user, a->password)) {
        (void)err_set(&e, ERR_PROTOCOL, "broker credential get returned an incomplete credential");
        a = NULL;
        why = &e;
    }
    if (!a) {
        fail(why);
        return;
    }
    kept.is_static = false;
    keep(a->user, a->password, a->expires, a->made);
    a->user = NULL;
    a->password = NULL;
    struct login_credential *c = login_credential_hold(kept.value);
    answer_all(c, NULL);
    login_credential_drop(c);
}

static void ask(enum credential_how as)
{
    how = as;
    credential_request(as, answered);
}

void credential_want(struct credential_wait *w, bool anew, const char *user)
{
    struct credential_wait **at = &waiting;

    w->fresh = false;
    w->anew = anew;
    if (!anew && is_good(user)) {
        w->done(w, kept.value, NULL);
        return;
    }
    w->next = NULL;
    while (*at)
        at = &(*at)->next;
    *at = w;
    if (!credential_request_runs())
        ask(anew ? CREDENTIAL_ANEW : CREDENTIAL_KEPT);
}

void credential_unwant(struct credential_wait *w)
{
    struct credential_wait **at = &waiting;

    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

void credential_end(void)
{
    credential_request_end();
    bool last = file_unlock_shared(&in_use);
    if (last)
        credential_request_erase(kept.user, clock_deadline(END_MS, CLOCK_NEVER));
    drop();
}
