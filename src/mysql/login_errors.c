/* SPDX-License-Identifier: MIT */
#include "login_errors.h"

#include <base/buf.h>
#include <base/clock.h>

#include "login_inject.h"

/* How many times connect_timeout a login may take: some servers need half a minute to resume at a login
 * (Aurora Serverless). */
#define LOGIN_HOPS 6

int64_t login_patience(const struct mysql *m)
{
    return m->options->connect_timeout * (m->stage >= STAGE_LOGIN ? LOGIN_HOPS : 1);
}

static bool is_greeted(const struct mysql *m)
{
    return m->stage == STAGE_GREETING || m->stage == STAGE_AGAIN;
}

void login_error_lost(const struct mysql *m, struct err *e)
{
    (void)err_set_numbered(e, ERR_UNREACHABLE, 2013, "%s: the server closed the connection %s",
                           m->options->server, is_greeted(m) ? "without a greeting" : "during the login");
    (void)err_hint(e, "check that it is a MySQL server that accepts connections from this machine");
}

int login_silent(const struct login_options *options, struct err *e)
{
    AUTO_BUF(time, 32);

    clock_format_duration(&time, options->connect_timeout);
    (void)err_set_numbered(e, ERR_UNREACHABLE, 2013, "%s: no greeting within %s", options->server,
                           buf_str(&time));
    return err_hint(e, "check that it is a MySQL server and does not wait for a PROXY header; if it is slow, "
                       "raise connect_timeout");
}

void login_error_late(const struct mysql *m, bool shakes, struct err *e)
{
    AUTO_BUF(time, 32);

    clock_format_duration(&time, login_patience(m));
    (void)login_silent(m->options, e);
    if (inject_asks_client(m->stage))
        (void)err_set(e, ERR_PROTOCOL, "the client did not answer within %s", buf_str(&time));
    else if (!is_greeted(m))
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2013, "%s: %s within %s", m->options->server,
                               shakes ? "TLS was not established" : "no answer during the login",
                               buf_str(&time));
}
