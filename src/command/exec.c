/* SPDX-License-Identifier: MIT */
/* broker exec: runs a program with the connection parameters in its environment and in {placeholders}. */
#include "begin.h"

#include <string.h>

#include <base/log.h>
#include <base/mem.h>

#include "slips.h"

/* Notes that the MySQL client takes server and password from the environment, but not user and database. */
static void note_stock_client(const struct invocation *inv, const char *profile)
{
    const char *program = inv->rest[0], *slash = strrchr(program, '/');
    AUTO_BUF(quoted, 8192);

    for (size_t i = 1; inv->rest[i]; i++) {
        if (text_starts(inv->rest[i], "-u") || text_starts(inv->rest[i], "--user") ||
            text_starts(inv->rest[i], "--defaults-") || text_starts(inv->rest[i], "--login-path"))
            return;
    }
    program = slash ? slash + 1 : program;
    if (profile)
        text_quote_sh(&quoted, profile);
    if (text_equal(program, "mysql") || text_equal(program, "mariadb"))
        log_note("note: %s ignores MYSQL_USER; use broker connect %s, or %s --defaults-file={defaults-file}",
                 program, profile ? buf_str(&quoted) : "URL", program);
    else
        log_note("note: %s ignores MYSQL_USER; use %s --defaults-file={defaults-file}", program, program);
}

/* Returns true for options with which the mysql or mariadb client refuses to connect without TLS. */
static bool insists_on_tls(const char *word)
{
    static const char *const harmless[] = {
        "--ssl-mode=disabled", "--ssl-mode=preferred",       "--ssl=0",
        "--ssl=off",           "--ssl-verify-server-cert=0", "--ssl-verify-server-cert=off"};

    if (!text_starts(word, "--ssl"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (text_equal_nocase(word, harmless[i]))
            return false;
    }
    return true;
}

/* Notes that broker handles TLS. Without the note, the client would only report that the server lacks TLS,
 * which is misleading. */
static void note_own_tls(const struct invocation *inv, const char *profile)
{
    AUTO_BUF(quoted, 8192);

    if (profile) {
        buf_putc(&quoted, ' ');
        text_quote_sh(&quoted, profile);
    }
    for (size_t i = 1; inv->rest[i]; i++) {
        if (!insists_on_tls(inv->rest[i]))
            continue;
        log_note("note: broker handles TLS to the server here; leave out %.*s, or use broker forward%s",
                 (int)strcspn(inv->rest[i], "="), inv->rest[i], buf_str(&quoted));
        return;
    }
}

/* Evaluates --format and each --env, which is NAME=TEMPLATE or the name of a format whose variables are
 * added. */
static int choose_variables(struct invocation *inv, const struct format ***formats, char ***templates,
                            struct err *e)
{
    size_t n = inv->given[OPT_env], added = 0, made = 0;

    *formats = mem_alloc(n + 2, sizeof **formats);
    *templates = mem_alloc(n + 1, sizeof **templates);
    if (find_format(inv->given[OPT_format] ? inv->value[OPT_format] : "env", &(*formats)[added++], e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool is_template = strchr(inv->env[i], '=');
        if (is_template ? template_check(inv->env[i], e) < 0
                        : find_format(inv->env[i], &(*formats)[added++], e) < 0)
            return -1;
        if (is_template)
            (*templates)[made++] = inv->env[i];
    }
    return 0;
}

static int exec_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);
    AUTO_FREE(const struct format **, formats);
    AUTO_FREE(char **, templates);

    if (!inv->rest || !inv->rest[0]) {
        (void)err_set(e, ERR_USAGE, "which command?");
        return err_hint(e, "broker exec PROFILE -- COMMAND ARG...");
    }
    int wants_file = session_command_wants_file(inv->rest, e);
    if (wants_file < 0 || choose_variables(inv, &formats, &templates, e) < 0)
        return -1;
    bool stock = client_is_known(inv->rest[0]), tool = stock && wants_file;
    if (begin_plan(inv, &s, tool ? FOR_TOOL : FOR_OTHER, tool ? inv->rest[0] : NULL, e) < 0)
        return -1;
    if (inv->given[OPT_dry_run]) {
        s.plan.client = NULL;
        print_plan(&s, inv->rest);
        return 0;
    }
    if (stock && !wants_file)
        note_stock_client(inv, s.profile.name);
    if (stock && s.plan.tls_by_keeper)
        note_own_tls(inv, s.profile.name);
    s.may_log_in = true;
    if (begin_log(inv, &s.log, e) < 0)
        return -1;
    if (session_login(&s, e) < 0 || session_offer_to_keep(&s, false, e) < 0)
        return -1;
    return session_become_command(&s, inv->rest, formats, templates, e);
}

const struct verb verb_exec = {
    .name = "exec",
    .usage = "[PROFILE|URL] [OPTION]... -- COMMAND [ARG...]",
    .summary = "run a program with the connection parameters",
    .about = "Run a program with the connection parameters in its environment, or in a file or URL that its "
             "arguments name, such as {defaults-file}.",
    .group = GROUP_CONNECT,
    .examples = {"broker exec prod -- mysqldump --defaults-file={defaults-file} shop",
                 "broker exec prod -- sh -c 'echo $MYSQL_HOST'", "broker exec prod --env url -- dbmate up",
                 "broker exec prod --env GOOSE_DRIVER=mysql --env 'GOOSE_DBSTRING={go}' -- \\\n    goose up",
                 "broker exec prod --env 'DB={golang-migrate}' -- \\\n"
                 "    sh -c 'migrate -path db -database \"$DB\" up'",
                 "broker exec prod -- skeema push",
                 "broker exec prod --format sqlalchemy -- alembic upgrade head",
                 "broker exec prod --format django -- python manage.py migrate",
                 "broker exec prod --format rails -- bin/rails db:migrate",
                 "broker exec prod --env 'FLYWAY_URL={jdbc}' -- flyway migrate"},
    .sets = SET_PROFILE | SET_RUN | SET_DRY | SET_FORMAT | SET_EXEC | SET_FRESH | SET_LOG,
    .most_words = 1,
    .takes_rest = true,
    .words = "profile",
    .run = exec_run,
};
