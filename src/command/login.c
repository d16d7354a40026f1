/* SPDX-License-Identifier: MIT */
/* broker login: does the interactive part of connecting ahead of time. It does not ask for a database
 * password: `connect` does, because it can check the password with the server. */
#include "begin.h"

#include <base/log.h>

static int login_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);

    s.may_log_in = s.wants_login = true;
    if (begin_plan(inv, &s, FOR_SECRET, NULL, e) < 0)
        return -1;
    int done = session_sign_in(&s, e), tunnel = done < 0 ? 0 : session_try_tunnel(&s, e);
    if (tunnel > 0)
        log_note("logged in to %s", s.plan.route);
    else if (done == 0 && tunnel == 0)
        log_note("nothing to log in to: %s%s", s.plan.provider ? "auth = " : "",
                 s.plan.provider ? s.plan.provider->name : "the password came with the URL");
    return done < 0 || tunnel < 0 ? -1 : 0;
}

const struct verb verb_login = {
    .name = "login",
    .usage = "[PROFILE|URL] [OPTION]...",
    .summary = "log in now (browser, MFA, SSH)",
    .about = "Do the interactive part of logging in now, so that later commands need no terminal.",
    .group = GROUP_MANAGE,
    .examples = {"broker login prod"},
    .sets = SET_PROFILE | SET_RUN,
    .most_words = 1,
    .words = "profile",
    .run = login_run,
};
