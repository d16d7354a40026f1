/* SPDX-License-Identifier: MIT */
/*
 * A connection that the keeper logs in: it gets a credential first and then dials, because a server waits
 * only some seconds for an answer to its greeting. A credential that the server refuses may be too new or too
 * old for it, so the login is tried again, a limited number of times, while the client waits.
 */
#include "conn_parts.h"

#include <stddef.h>
#include <stdlib.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "first.h"
#include "options.h"
#include "tunnels.h"

/* The maximal number of connections at a port that have not proved yet that they may log in. */
#define UNPROVED_MOST 32
/* The time that they have, as a multiple of connect_timeout: for a credential, a lost tunnel, the server, and
 * the client's answer. */
#define PROOF_HOPS 6
/* How many times, and after how many ms, to check whether the session of another user has ended. */
#define LOOKS_MOST 5
#define LOOK_MS 100

static unsigned unproved, sessions;

void (*conn_on_room)(void);

bool conn_has_room(enum listener_kind kind)
{
    return kind != LISTENER_LOGIN || unproved < UNPROVED_MOST;
}

unsigned conn_sessions(void)
{
    return sessions;
}

static void now_proved(struct conn *c)
{
    if (!c->unproved)
        return;
    unproved--;
    c->unproved = false;
    timer_clear(&c->silence);
    if (conn_on_room)
        conn_on_room();
}

static void release(struct conn *c)
{
    if (c->waiting)
        credential_unwant(&c->wait);
    timer_clear(&c->nap);
    login_credential_drop(c->as);
    sessions -= c->user != NULL;
    free(c->user);
    now_proved(c);
}

/* Returns the user of the existing sessions, or NULL. A MySQL client cancels a query over a second
 * connection, which must log in as the same user. */
static const char *user_of_sessions(void)
{
    if (!opt.stock_client)
        return NULL;
    for (const struct conn *c = conn_all; c; c = c->next) {
        if (c->user && !c->relay.flow[SERVER].ended)
            return c->user;
    }
    return NULL;
}

/* Returns the user of the existing sessions if the credential is for another user, otherwise NULL. */
static const char *other_user(const struct login_credential *as)
{
    const char *user = user_of_sessions();

    return user && !text_equal(user, as->user) ? user : NULL;
}

static void conn_want_credential(struct conn *c, bool anew);

static void look_over(struct timer *t)
{
    conn_want_credential(OWNER_OF(t, struct conn, nap), false);
}

/* A client that connects again has closed its session, but the keeper may not have noticed that yet. */
static bool looks_again(struct conn *c, const struct login_credential *as)
{
    if (!other_user(as) || c->looks == LOOKS_MOST)
        return false;
    c->looks++;
    timer_set(&c->nap, clock_deadline(LOOK_MS, CLOCK_NEVER), look_over);
    return true;
}

static int check_same_user(const struct login_credential *as, struct err *e)
{
    const char *user = other_user(as);

    if (!user)
        return 0;
    (void)err_set(e, ERR_REFUSED, "the database user %s of this session has ended", user);
    return err_hint(e, "connect again, with a new user");
}

/* Sends `e` to the client, or the server's own error after a refusal (NULL). */
static void failed(struct conn *c, const struct err *e)
{
    if (c->again)
        login_tell(&c->relay, e);
    else
        conn_refuse(c, e);
}

static void conn_credited(struct credential_wait *w, struct login_credential *as, const struct err *e)
{
    struct conn *c = OWNER_OF(w, struct conn, wait);
    struct err other = ERR_INIT;

    c->waiting = false;
    if (as && !c->again && looks_again(c, as))
        return;
    if (as && check_same_user(as, &other) < 0)
        e = &other;
    /* If the server has refused a credential, its error is more useful than the reason why there is no other
     * credential, unless the user must log in. */
    if (e) {
        failed(c, c->again && e != &other && e->code != ERR_LOGIN ? NULL : e);
        return;
    }
    login_credential_drop(c->as);
    c->as = login_credential_hold(as);
    c->deadline = 0;
    if (tunnel_is_up())
        conn_expect(c);
    int ready = c->again ? -1 : first_take();
    if (ready >= 0)
        conn_connected(c, ready);
    else
        conn_dial(c);
}

static void conn_want_credential(struct conn *c, bool anew)
{
    c->wait.done = conn_credited;
    c->waiting = true;
    credential_want(&c->wait, anew, user_of_sessions());
}

static void is_unproved(struct timer *t)
{
    log_step("login", "a client at the port did not log in");
    conn_end(OWNER_OF(t, struct conn, silence));
}

static void nap_over(struct timer *t)
{
    struct conn *c = OWNER_OF(t, struct conn, nap);

    c->deadline = 0;
    conn_expect(c);
    conn_dial(c);
}

/* While the user is new to the server, tries the same credential again and does not request another one.
 * Otherwise tries another credential, once; then the client gets the server's own error. */
static void refused(struct conn *c)
{
    int nap = credential_patience(c->as, c->tries);

    c->again = true;
    if (nap >= 0) {
        c->tries++;
        log_step("login", "the user %s is new; trying again", c->as->user);
        timer_set(&c->nap, clock_deadline(nap, CLOCK_NEVER), nap_over);
    } else if (!c->renewed && !c->tries && credential_refused(c->as, c->wait.fresh)) {
        c->renewed = true;
        conn_want_credential(c, true);
    } else {
        login_tell(&c->relay, NULL);
    }
}

static void accepted(struct conn *c)
{
    credential_used();
    c->user = mem_strdup(c->as->user);
    sessions++;
    login_credential_drop(c->as);
    c->as = NULL;
    conn_copy(c);
}

static void came_to(struct relay *r, enum login_result result)
{
    struct conn *c = OWNER_OF(r, struct conn, relay);

    if (result == LOGIN_DONE)
        accepted(c);
    else if (result == LOGIN_REFUSED)
        refused(c);
    else
        conn_end(c);
}

static void has_proved(struct relay *r)
{
    now_proved(OWNER_OF(r, struct conn, relay));
}

static void reached(struct conn *c)
{
    static const struct login_events events = {.proved = has_proved, .done = came_to};

    if (c->again)
        login_retry(&c->relay, c->as, c->deadline);
    else
        login_start(&c->relay, &opt.login, c->as, c->by_port ? opt.password : NULL, c->deadline, &events);
}

void conn_login_serve(struct conn *c, bool by_port)
{
    c->reached = reached;
    c->failed = failed;
    c->release = release;
    c->by_port = by_port;
    if (by_port) {
        c->unproved = true;
        unproved++;
        timer_set(&c->silence, clock_deadline(PROOF_HOPS * opt.target.connect_timeout, CLOCK_NEVER),
                  is_unproved);
    }
    conn_watch(c);
    conn_want_credential(c, false);
}
