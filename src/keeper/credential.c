/* SPDX-License-Identifier: MIT */
/*
 * One credential is kept at a time, in the arena: until it expires, and not longer than a minute after it was
 * last used, unless it cannot be asked for again. A new one is asked for over a socket pair, in git's
 * credential protocol, so that nothing of a provider is known here. One request runs at a time, and answers
 * all who wait.
 */
#include "credential.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>

#include "credential_request.h"
#include "options.h"

/* A credential must live this long, for a log-in that is slow. */
#define MARGIN_S 30
#define IDLE_MS 60000
#define ANEW_MS 60000
#define END_MS 5000
/* A user that is younger may not have reached the replica that answers. */
#define NEW_S 10
#define RENEW_AGAIN_MS 10000
#define RENEW_LEAST_MS 1000

static struct {
    struct login_credential *value;
    char *user;           /* of it, also when it is wiped */
    time_t expires, made; /* 0: never, not known */
    bool is_static;
    struct timer end; /* wipes it */
    struct timer renew;
} kept;

static struct credential_wait *waiting;
static enum credential_how how;
static struct file_lock in_use = {.fd = -1};
static int64_t anew_after; /* when a refused credential may be replaced again */

unsigned (*credential_sessions)(void);

/* --- the one that is kept */

static void drop(void)
{
    timer_clear(&kept.end);
    login_credential_drop(kept.value);
    kept.value = NULL;
}

static void end_came(struct timer *t)
{
    (void)t;
    drop();
}

static int64_t left_ms(void)
{
    int64_t left = ((int64_t)kept.expires - (int64_t)time(NULL)) * 1000;

    return left > 0 ? left : 0;
}

/* The clock may be set while it is kept, so the time is looked at each time. */
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
    timer_clear(&kept.end);
    if (life < INT64_MAX)
        timer_set(&kept.end, clock_later(clock_ms(), life), end_came);
}

static void ask(enum credential_how as);

/* The user of a session must not end before it, so renewing it is not left to the next connection. */
static void renew_came(struct timer *t)
{
    if (!credential_sessions || !credential_sessions())
        return;
    if (credential_request_runs())
        timer_set(t, clock_later(clock_ms(), RENEW_AGAIN_MS), renew_came);
    else
        ask(CREDENTIAL_RENEWED);
}

/* broker gives the same again until it expires, which is some time before the user does, and renews it then.
 */
static void set_renewal(void)
{
    int64_t left = left_ms(), wait = left > MARGIN_S * 1000 ? left : left / 2;

    timer_clear(&kept.renew);
    if (kept.made && kept.expires)
        timer_set(&kept.renew, clock_later(clock_ms(), wait > RENEW_LEAST_MS ? wait : RENEW_LEAST_MS),
                  renew_came);
}

/* Tried again while there is time. */
static void renewal_failed(const struct err *e)
{
    int64_t end = ((int64_t)kept.expires + MARGIN_S - (int64_t)time(NULL)) * 1000;
    AUTO_BUF(time, 32);

    clock_format_duration(&time, end > 0 ? end : 0);
    log_warn(e->hint, "cannot renew the database user, which ends in %s: %s", buf_str(&time), e->msg);
    if (end > RENEW_AGAIN_MS)
        timer_set(&kept.renew, clock_later(clock_ms(), RENEW_AGAIN_MS), renew_came);
}

/* So that of several keepers the last one gives the user back. */
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

/* Takes ownership of both. */
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

/* --- asking broker */

/* One that has been refused does not answer who wants another, and a renewal that fails answers nobody. */
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
        at = &waiting; /* which done() may have changed */
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
