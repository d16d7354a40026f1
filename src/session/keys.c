/* SPDX-License-Identifier: MIT */
/* Gets the provider's keys (such as AWS access keys) for programs that make their own requests. */
#include <session/session.h>

#include <base/clock.h>
#include <session/audit.h>

int session_audit(const struct session *s, const struct credential *got, struct err *e)
{
    const char *user = got->user ? got->user : profile_str(&s->profile, KEY_user);
    const struct audit_line line = {.profile = s->profile.name,
                                    .endpoint = s->plan.endpoint,
                                    .user = user,
                                    .provider = s->plan.provider ? s->plan.provider->name : "url",
                                    .expires = got->expires_at};

    return audit_write(s->config, &line, e);
}

int session_keys(const struct session *s, time_t least_life, struct access_keys *out, struct err *e)
{
    const struct provider *provider = s->plan.provider;

    if (!provider || !provider->keys) {
        (void)err_set(e, ERR_CONFIG, "auth = %s has no AWS keys", provider ? provider->name : "client");
        return err_hint(e, "use a profile with auth = iam");
    }
    int64_t deadline = clock_deadline(profile_ms(&s->profile, KEY_login_timeout), s->deadline);
    if (provider->keys(&s->profile, least_life, deadline, out, e) < 0)
        return -1;
    const struct credential got = {.user = out->id, .expires_at = out->expires_at};
    return session_audit(s, &got, e);
}
