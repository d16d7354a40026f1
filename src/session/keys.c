/* The keys that a credential is made with, for programs that make their own requests. */
#include <session/session.h>

#include <base/clock.h>

int session_keys(const struct session *s, time_t least_life, struct access_keys *out, struct err *e)
{
    const struct provider *provider = s->plan.provider;

    if (!provider || !provider->keys) {
        (void)err_set(e, ERR_CONFIG, "auth = %s has no AWS keys", provider ? provider->name : "client");
        return err_hint(e, "a profile with auth = iam has");
    }
    int64_t deadline = clock_deadline(profile_ms(&s->profile, KEY_login_timeout), s->deadline);
    return provider->keys(&s->profile, least_life, deadline, out, e);
}
