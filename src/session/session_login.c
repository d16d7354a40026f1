/* SPDX-License-Identifier: MIT */
/* Signs in and gets the credential, which is used by the client or, if the keeper logs in, given only to the
 * keeper. */
#include <session/session.h>

#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/tty.h>

#include "route.h"

static int64_t login_deadline(const struct session *s)
{
    return clock_deadline(profile_ms(&s->profile, KEY_login_timeout), s->deadline);
}

/* Reports that the user must log in, unless the provider has already said to what. */
static int needs_login(const struct session *s, struct err *e)
{
    if (e->code != ERR_LOGIN || e->hint[0])
        return -1;
    if (s->wants_login)
        return err_hint(e, "run it on a terminal");
    if (s->profile.name)
        return err_hint_sh(e, "broker login %s", s->profile.name);
    return err_hint(e, "broker login, with the same options");
}

int session_sign_in(struct session *s, struct err *e)
{
    const struct provider *provider = s->plan.provider;
    struct credential *c = &s->credential;
    AUTO_BUF(life, 64);

    if (!provider || !provider->login)
        return 0;
    if (c->login)
        return 1;
    c->may_log_in = s->may_log_in && !tty_input_forbidden() && tty_present();
    c->wants_login = s->wants_login;
    if (provider->login(&s->profile, login_deadline(s), c, e) < 0)
        return needs_login(s, e);
    log_step("login", "%s", c->login);
    clock_format_duration(&life, (int64_t)(c->login_expires_at - time(NULL)) * 1000);
    if (c->logged_in || (c->wants_login && c->login_expires_at))
        log_note("logged in, valid for %s", buf_str(&life));
    else if (c->wants_login)
        log_note("nothing to log in to: %s", c->login);
    return 1;
}

/*
 * Returns true if the keeper connects before a client does, so that its tunnel can ask questions now. Without
 * a tunnel it does not if it has a port: the program may never connect, and a server counts unanswered
 * greetings as errors. Nor does it if the session says that only the login connects.
 */
static bool dials_ahead(const struct session *s)
{
    return profile_is_tunnelled(&s->profile) || (!s->plan.port_listener && !s->login_connects);
}

static void log_credential(const struct session *s)
{
    const struct provider *provider = s->plan.provider;
    AUTO_BUF(what, 4096);

    if (!provider || !log_wants(LOG_STEP))
        return;
    provider->describe(&s->profile, &what);
    buf_puts(&what, ", password ********");
    if (s->credential.expires_at) {
        buf_puts(&what, ", valid for ");
        clock_format_duration(&what, (int64_t)(s->credential.expires_at - time(NULL)) * 1000);
    }
    log_step("credential", "%s", buf_str(&what));
    if (s->plan.login_by_keeper)
        log_step("keeper", PLAN_LOGS_IN);
}

static int get(struct session *s, struct err *e)
{
    const struct provider *provider = s->plan.provider;
    const struct secret *password = s->profile.password;

    if (provider && provider->get(&s->profile, login_deadline(s), &s->credential, e) < 0)
        return provider->login ? needs_login(s, e) : -1;
    if (provider)
        return plan_check_user(&s->plan, &s->credential, e);
    s->credential.password = secret_from(secret_bytes(password), secret_len(password));
    return 0;
}

static int give_credential(const struct session *s, struct route *route, struct err *e)
{
    const struct credential *c = &s->credential;
    const struct provider *provider = s->plan.provider;

    if (route && s->plan.login_by_keeper)
        return route_credential(route, c, !provider || provider->once || c->asked, e);
    if (route && c->expires_at)
        route_expires(route, c->expires_at);
    return 0;
}

static int hand_over(struct session *s, struct route *route, struct err *e)
{
    if (give_credential(s, route, e) < 0)
        return -1;
    log_credential(s);
    return session_audit(s, &s->credential, e);
}

int session_get_credential(struct session *s, struct route *route, struct err *e)
{
    return get(s, e) < 0 ? -1 : hand_over(s, route, e);
}

/* Makes the plan again if the credential expires, which is not known before for `auth = command` and
 * `helper`: a keeper is then needed to fetch a new one. */
static int plan_again(struct session *s, struct err *e)
{
    enum purpose purpose = s->plan.purpose;

    if (s->plan.keeper || !s->credential.expires_at || purpose > FOR_OTHER)
        return 0;
    s->facts.expires = true;
    plan_release(&s->plan);
    if (plan_make(&s->profile, &s->facts, purpose, &s->plan, e) < 0)
        return -1;
    return session_open_route(s, dials_ahead(s), e);
}

int session_login(struct session *s, struct err *e)
{
    if (session_sign_in(s, e) < 0 || session_open_route(s, dials_ahead(s), e) < 0 || get(s, e) < 0 ||
        plan_again(s, e) < 0)
        return -1;
    return hand_over(s, s->route, e);
}
