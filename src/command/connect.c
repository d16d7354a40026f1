/* SPDX-License-Identifier: MIT */
/* broker connect: execs the MySQL client. */
#include "begin.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <output/client.h>

/* In seconds. If the database user expires sooner than this, the session may outlive it, so it is noted. */
#define NOTED_LIFE (30 * 60)

static int check_args(char *const *args, struct err *e)
{
    for (; args && *args; args++) {
        if (client_arg_must_be_first(*args)) {
            (void)err_set(e, ERR_USAGE, "%.*s must be the client's first option, which broker needs itself",
                          (int)strcspn(*args, "="), *args);
            return err_hint(e, "move its contents to ~/.my.cnf, or use broker exec with {defaults-file}");
        }
    }
    return 0;
}

/* Notes when a temporary database user expires, if that is soon and the session is interactive. */
static void note_life(const struct session *s)
{
    time_t left = s->credential.expires_at - time(NULL);
    AUTO_BUF(life, 64);

    if (!s->plan.provider || !s->plan.provider->makes_user || left >= NOTED_LIFE || !isatty(STDIN_FILENO))
        return;
    clock_format_duration(&life, (int64_t)left * 1000);
    log_note("note: the database user ends in %s", buf_str(&life));
}

static int connect_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);

    if (check_args(inv->rest, e) < 0 || begin_plan(inv, &s, FOR_CLIENT, NULL, e) < 0)
        return -1;
    if (inv->given[OPT_dry_run]) {
        print_plan(&s, inv->rest);
        return 0;
    }
    s.may_log_in = true;
    if (begin_log(inv, &s.log, e) < 0)
        return -1;
    if (session_login(&s, e) < 0 || session_offer_to_keep(&s, false, e) < 0)
        return -1;
    if (!s.plan.login_by_keeper)
        note_life(&s);
    return session_become_client(&s, inv->rest, e);
}

const struct verb verb_connect = {
    .name = "connect",
    .usage = "[PROFILE|URL] [OPTION]... [-- CLIENT ARG...]",
    .summary = "start the mysql client",
    .about = "Start the stock mysql client, logged in. Everything after -- goes to the client unchanged.",
    .group = GROUP_CONNECT,
    .examples = {"broker connect prod", "broker connect prod < dump.sql",
                 "broker connect prod -- -e 'select 1'",
                 "broker connect --socket auto --user root --auth client"},
    .sets = SET_PROFILE | SET_RUN | SET_DRY | SET_FRESH | SET_LOG,
    .most_words = 1,
    .takes_rest = true,
    .words = "profile",
    .run = connect_run,
};
