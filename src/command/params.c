/* SPDX-License-Identifier: MIT */
/* broker params: prints connection parameters for other tools, in a whole format or as one field. */
#include "begin.h"

#include <string.h>
#include <unistd.h>

#include <base/mem.h>
#include <session/params.h>

#include "slips.h"

#define TEXT_MOST (1024 * 1024)

static int refuse_formats(struct err *e)
{
    (void)err_set(e, ERR_USAGE, "--json is --format json");
    return err_hint(e, "use --json or --format, not both");
}

static int refuse_both(struct err *e)
{
    (void)err_set(e, ERR_USAGE, "--field prints only a value, without a format");
    return err_hint(e, "--field NAME without --format");
}

/* Gets the format, or NULL if one field is wanted. */
static int choose(struct invocation *inv, const struct format **out, struct err *e)
{
    const char *field = inv->value[OPT_field], *meant;
    const char *format = inv->given[OPT_format] ? inv->value[OPT_format]
                         : inv->given[OPT_json] ? "json"
                                                : "env";

    *out = NULL;
    if (inv->given[OPT_json] && !text_equal(format, "json"))
        return refuse_formats(e);
    if (!field)
        return find_format(format, out, e);
    if (inv->given[OPT_format] || inv->given[OPT_json])
        return refuse_both(e);
    for (size_t i = 0; field_names[i]; i++) {
        if (text_equal(field_names[i], field))
            return 0;
    }
    meant = text_closest(field, field_names);
    (void)err_set(e, ERR_USAGE, "no such field '%s'", field);
    if (meant)
        return err_hint(e, "did you mean '%s'?", meant);
    AUTO_BUF(names, 512);
    for (size_t i = 0; field_names[i]; i++)
        buf_printf(&names, i ? " %s" : "%s", field_names[i]);
    return err_hint(e, "one of: %s", buf_str(&names));
}

static int choose_shell(const struct invocation *inv, struct format_how *how, struct err *e)
{
    const char *name = inv->given[OPT_shell] ? inv->value[OPT_shell] : "sh";

    how->shell = text_equal(name, "fish") ? SHELL_FISH : SHELL_SH;
    if (how->shell == SHELL_FISH || text_equal(name, "sh"))
        return 0;
    (void)err_set(e, ERR_USAGE, "--shell: '%s' is not sh or fish", name);
    return err_hint(e, "--shell sh, which bash, dash and zsh take too");
}

/* Appends one field. A masked password is written after "# ", so that a shell ignores the line. */
static void put_field(const char *name, const struct connection *c, const struct format_how *how,
                      struct buf *out)
{
    if (how->masked && text_equal(name, "password"))
        buf_puts(out, "# ");
    (void)field_put(name, c, how, out);
    buf_putc(out, '\n');
}

static int write_out(const struct buf *text, bool terminal, struct err *e)
{
    AUTO_BUF(clean, TEXT_MOST * 2);

    if (terminal)
        text_sanitise(&clean, buf_str(text), text->len);
    const struct buf *out = terminal ? &clean : text;
    (void)fwrite(buf_str(out), 1, out->len, stdout);
    return stdout_finish(e);
}

static int print(struct invocation *inv, struct session *s, const struct format *f, struct format_how *how,
                 struct err *e)
{
    __attribute__((cleanup(client_release))) struct client client = {0};
    const struct params_wanted want = {
        .endpoint = inv->given[OPT_endpoint],
        .no_password = inv->given[OPT_no_password],
        .inject = inv->given[OPT_inject],
        .says_tls = f && f->levels,
    };
    AUTO_PARAMS(params);
    AUTO_BUF(text, TEXT_MOST);
    bool terminal = isatty(STDOUT_FILENO);

    if (f && f->flavoured && client_find(profile_str(&s->profile, KEY_client), s->deadline, &client, e) < 0)
        return -1;
    if (session_params(s, &want, &params, e) < 0)
        return -1;
    how->profile = s->profile.name;
    how->endpoint = &params.endpoint;
    how->flavour = client.flavour;
    how->masked = terminal && !inv->given[OPT_reveal];
    if (!f)
        put_field(inv->value[OPT_field], &params.conn, how, &text);
    else if (format_write(f, &params.conn, how, &text, e) < 0)
        return -1;
    if (write_out(&text, terminal, e) < 0)
        return -1;
    if (how->masked && params.conn.password && strstr(buf_str(&text), "********"))
        log_note("password masked on a terminal; --reveal shows it");
    return 0;
}

static int refuse_endpoint(struct err *e)
{
    (void)err_set(e, ERR_USAGE, "--endpoint gives the server's own address, where broker does not log in");
    return err_hint(e, "use --inject or --endpoint, not both");
}

static int params_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);
    const struct format *f;
    struct format_how how = {0};

    if (inv->given[OPT_inject] && inv->given[OPT_endpoint])
        return refuse_endpoint(e);
    if (choose(inv, &f, e) < 0 || choose_shell(inv, &how, e) < 0 ||
        begin_plan(inv, &s, FOR_PARAMS, NULL, e) < 0)
        return -1;
    if (inv->given[OPT_dry_run]) {
        print_plan(&s, NULL);
        return 0;
    }
    return print(inv, &s, f, &how, e);
}

const struct verb verb_params = {
    .name = "params",
    .usage = "[PROFILE|URL] [OPTION]...",
    .summary = "print connection parameters for other tools",
    .about = "Print the parameters of a connection, password included, in a format that other tools read.",
    .group = GROUP_EXPORT,
    .examples = {"eval \"$(broker params prod)\"", "broker params prod --format json | jq -r .password",
                 "broker params prod --field host", "broker params prod --format mycnf > prod.cnf"},
    .sets = SET_PROFILE | SET_RUN | SET_DRY | SET_JSON | SET_FORMAT | SET_PARAMS | SET_INJECT | SET_FRESH,
    .most_words = 1,
    .words = "profile",
    .run = params_run,
};
