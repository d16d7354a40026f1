/* Execs the stock client. */
#include "begin.h"

#include <string.h>

#include <output/client.h>

static int check_args(char *const *args, struct err *e)
{
    for (; args && *args; args++) {
        if (client_arg_must_be_first(*args)) {
            (void)err_set(e, ERR_USAGE, "%.*s must be the client's first option, and that place is ours",
                          (int)strcspn(*args, "="), *args);
            return err_hint(e,
                            "put what the file says into ~/.my.cnf, or use broker exec with {defaults-file}");
        }
    }
    return 0;
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
    if (session_login(&s, e) < 0 || session_offer_to_keep(&s, false, e) < 0)
        return -1;
    return session_become_client(&s, inv->rest, e);
}

const struct verb verb_connect = {
    .name = "connect",
    .usage = "[PROFILE|URL] [OPTION]... [-- CLIENT ARG...]",
    .summary = "become the mysql client",
    .group = GROUP_GET_IN,
    .examples = {"broker connect prod", "broker connect prod < dump.sql",
                 "broker connect prod -- -e 'select 1'",
                 "broker connect --socket auto --user root --auth client"},
    .sets = SET_PROFILE | SET_RUN | SET_DRY | SET_FRESH,
    .most_words = 1,
    .takes_rest = true,
    .words = "profile",
    .run = connect_run,
};
