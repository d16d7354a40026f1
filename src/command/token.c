/* SPDX-License-Identifier: MIT */
/* broker token: prints only the secret, for shell scripts. */
#include "begin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>

static int print_secret(const struct secret *s, struct err *e)
{
    if (fd_write_all(STDOUT_FILENO, secret_bytes(s), secret_len(s)) == 0 &&
        fd_write_all(STDOUT_FILENO, "\n", 1) == 0)
        return 0;
    (void)err_set(e, ERR_IO, "%s", strerror(errno));
    (void)err_what(e, "stdout");
    return err_hint(e, "check that the disk is not full and the pipe is not closed");
}

/* Suggests another verb for the same connection. */
static int hint_instead(const struct session *s, const char *verb, const char *options, struct err *e)
{
    AUTO_BUF(name, 1024);

    if (!s->profile.name)
        return err_hint(e, "broker %s%s, with the same options", verb, options);
    text_quote_sh(&name, s->profile.name);
    return err_hint(e, "broker %s %s%s", verb, buf_str(&name), options);
}

static int token_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);

    if (begin_plan(inv, &s, FOR_SECRET, NULL, e) < 0)
        return -1;
    if (s.plan.provider && s.plan.provider->has_no_token) {
        (void)err_set(e, ERR_USAGE, "auth = %s has no secret to print", s.plan.provider->name);
        return hint_instead(&s, "connect", "", e);
    }
    if (s.plan.provider && s.plan.provider->makes_user) {
        (void)err_set(e, ERR_USAGE, "auth = %s also creates the user, so a password alone is not enough",
                      s.plan.provider->name);
        return hint_instead(&s, "params", " --format json", e);
    }
    return session_login(&s, e) < 0 ? -1 : print_secret(s.credential.password, e);
}

const struct verb verb_token = {
    .name = "token",
    .usage = "[PROFILE|URL] [OPTION]...",
    .summary = "print the password or token",
    .about = "Print the password or token that a login would use.",
    .group = GROUP_EXPORT,
    .examples = {"MYSQL_PWD=$(broker token prod)", "broker token --iam --host NAME --user app_ro"},
    .sets = SET_PROFILE | SET_RUN | SET_TOKEN | SET_FRESH,
    .most_words = 1,
    .words = "profile",
    .run = token_run,
};
