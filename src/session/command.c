/* SPDX-License-Identifier: MIT */
/* Execs a program with the connection parameters in its environment and in {placeholders} of its arguments. A
 * placeholder never contains a secret, because arguments are visible in the process list. */
#include <session/session.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <ipc/helper.h>

#include "launch.h"
#include "template.h"

#define DEFAULTS_FILE "{defaults-file}"

int session_command_wants_file(char *const *argv, struct err *e)
{
    int wants = 0;

    for (size_t i = 0; argv[i]; i++) {
        AUTO_FREE(char *, secret);
        secret = template_secret_in(argv[i]);
        if (secret) {
            (void)err_set(e, ERR_USAGE, "%s would be seen in the process list", secret);
            (void)err_what(e, "exec");
            return err_hint(e, "%s, or MYSQL_PWD in its environment", DEFAULTS_FILE);
        }
        wants |= strstr(argv[i], DEFAULTS_FILE) != NULL;
    }
    return wants;
}

static void fill_words(const struct connection *c, const char *defaults_file, char *const *argv,
                       struct words *out)
{
    static const char *const names[] = {"host", "port", "socket", "user", "database", "defaults-file", NULL};
    AUTO_FREE(char *, port);

    port = mem_printf("%u", c->port);
    const char *values[] = {
        c->host ? c->host : "localhost", port, c->socket, c->user, c->database, defaults_file, NULL};
    for (; *argv; argv++) {
        AUTO_BUF(word, 131072);
        text_fill(&word, *argv, names, values);
        words_take(out, buf_take(&word));
    }
}

static int find_program(struct words *argv, struct err *e)
{
    char *path = proc_find(argv->word[0]);

    if (!path) {
        (void)proc_explain_missing(argv->word[0], e);
        return err_hint(e, "check its name, its permissions and PATH");
    }
    mem_wipe_free(argv->word[0]);
    argv->word[0] = path;
    return 0;
}

/* Creates the option file in memory. Its path names our pid, which exec keeps, so that child processes of the
 * program can read the file even if they do not inherit the descriptor. */
static int open_file(const struct session *s, struct launch *l, char **path, struct err *e)
{
    enum flavour f = s->plan.client ? s->plan.client->flavour : FLAVOUR_UNKNOWN;
    struct connection c = launch_connection(s);
    bool by_env = false;

    if (launch_option_file(s, f, true, &l->option_fd, &by_env, e) < 0)
        return -1;
    *path = mem_printf("/proc/%ld/fd/%d", (long)getpid(), l->option_fd);
    (void)fcntl(l->option_fd, F_SETFD, 0);
    client_environment(&c, f, by_env, &l->env);
    return 0;
}

static bool any_word_has(char *const *argv, const char *placeholder)
{
    for (; *argv; argv++) {
        if (strstr(*argv, placeholder))
            return true;
    }
    return false;
}

/* Returns true if a MySQL client should connect to the socket. Then MYSQL_HOST must not be set, because the
 * client would use it even with --socket. A client whose arguments contain {host} uses the port. */
static bool goes_to_socket(const struct session *s, char *const *argv)
{
    return client_is_known(argv[0]) && !any_word_has(argv, "{host}") &&
           (s->plan.unix_listener || any_word_has(argv, "{socket}"));
}

int session_become_command(struct session *s, char *const *argv, const struct format *const *formats,
                           char *const *templates, struct err *e)
{
    AUTO_LAUNCH(launch);
    AUTO_FREE(char *, file);
    struct connection both = launch_both_listeners(s), driver = launch_for_driver(s), env = both;
    const struct format_how how = {.profile = s->profile.name, .endpoint = &s->plan.conn};

    /* Done before the formats are applied, because they may set the same variable to the password of the
     * keeper's listener. */
    if (s->plan.login_by_keeper && text_equal(profile_str(&s->profile, KEY_auth), "env"))
        env_unset(&launch.env, profile_str(&s->profile, KEY_auth_env));
    if ((any_word_has(argv, DEFAULTS_FILE) || (templates && any_word_has(templates, DEFAULTS_FILE))) &&
        open_file(s, &launch, &file, e) < 0)
        return -1;
    fill_words(&both, file, argv, &launch.argv);
    if (goes_to_socket(s, argv))
        env.host = NULL;
    if (find_program(&launch.argv, e) < 0)
        return -1;
    for (; *formats; formats++) {
        if (format_environment(*formats, (*formats)->both_ends ? &env : &driver, &how, &launch.env, e) < 0)
            return -1;
    }
    const struct template_values values = {
        .both = &env, .driver = &driver, .how = &how, .defaults_file = file};
    if (template_environment(templates, &values, &launch.env, e) < 0)
        return -1;
    launch_forget(s);
    helper_end_all();
    return proc_exec(launch.argv.word, &launch.env, e);
}
