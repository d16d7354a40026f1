/* SPDX-License-Identifier: MIT */
/*
 * Logs in, with retries. A user that was created just now may not exist on a replica yet, so the same user is
 * tried again and no other is created. A cached user may have been dropped, and the password of a static role
 * changed: then a new credential is read, once. A keeper that logs in does all of this itself.
 */
#include <session/session.h>

#include <stdlib.h>
#include <time.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>

#define ACCESS_DENIED 1045
#define NEW_SECONDS 10

static bool is_new(const struct credential *c)
{
    return c->made_at && time(NULL) - c->made_at < NEW_SECONDS;
}

/* Tries the same user again, a few times, after it was created. */
static int try_again(const struct session *s, struct probe *out, struct err *e)
{
    static const int naps_ms[] = {200, 500, 1000, 2000};
    struct tty_wait wait;
    int result = -1;

    tty_wait_begin(&wait, "the server to know the new user", s->deadline);
    for (size_t i = 0; i < ARRAY_LEN(naps_ms) && result < 0 && out->server_code == ACCESS_DENIED; i++) {
        if (!tty_wait_nap(&wait, naps_ms[i]))
            break;
        log_step("server", "%s: the user is new; trying again", e->msg);
        probe_release(out);
        err_clear(e);
        result = session_probe(s, out, e);
    }
    tty_wait_end(&wait);
    return result;
}

/* Reads a new credential. Returns false, and leaves *e as it is, if the provider has no new one. */
static bool read_again(struct session *s)
{
    struct credential *c = &s->credential;
    struct credential now = {.wants_fresh = true};
    struct err ignored = ERR_INIT;

    now.login = c->login;
    now.login_state = c->login_state;
    if (s->plan.provider->get(&s->profile, s->deadline, &now, &ignored) < 0) {
        log_step("credential", "cannot get a new one: %s", ignored.msg);
        return false;
    }
    free(c->user);
    mem_wipe_free(c->lease_id);
    secret_free(c->password);
    c->user = now.user;
    c->lease_id = now.lease_id;
    c->password = now.password;
    c->made_at = now.made_at;
    c->expires_at = now.expires_at;
    log_step("credential", "a new one, because the server refused the cached one");
    return true;
}

int session_probe_patiently(struct session *s, struct probe *out, struct err *e)
{
    int result = session_probe(s, out, e);

    if (result == 0 || out->server_code != ACCESS_DENIED || !s->credential.made_at || s->plan.login_by_keeper)
        return result;
    if (!is_new(&s->credential) && read_again(s)) {
        probe_release(out);
        err_clear(e);
        result = session_probe(s, out, e);
    }
    return result < 0 && is_new(&s->credential) && out->server_code == ACCESS_DENIED ? try_again(s, out, e)
                                                                                     : result;
}
