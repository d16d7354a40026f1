/*
 * One table for the errors that people meet when they connect. A new one is a row. What is not in it keeps
 * the server's own words, cleaned for a terminal.
 */
#include "server_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ipc/keeper.h>

/* The words and the hint where a plug-in is missing because it is one of those that give the password away.
 */
#define IN_CLEAR                                                                                             \
    "the server wants the password in clear",                                                                \
        "cleartext = yes, if this server may have it: its certificate is verified then"

/* {who} USER@HOST as the server saw it, {database}, {endpoint}, {text} the client's words, {reason} ours,
 * {refused} the provider's hint, {plugin} the one that is missing. `only` limits a row to texts that hold it.
 */
static const struct row {
    unsigned number;
    enum err_code code;
    const char *only, *words, *hint;
} rows[] = {
    {1040, ERR_TRY_LATER, NULL, "the server has no connection left",
     "try again; max_connections is its limit"},
    {1044, ERR_REFUSED, NULL, "access denied for {who} to database {database}",
     "set another database, or have it granted to the user"},
    {1045, ERR_REFUSED, NULL, "access denied for {who}", "{refused}"},
    {1049, ERR_REFUSED, NULL, "no database {database}", "set database to one that exists"},
    {1129, ERR_REFUSED, NULL, "{text}", "on the server: mysqladmin flush-hosts"},
    {1130, ERR_REFUSED, NULL, "{text}", "the account is for other hosts: have it made for this one"},
    {1698, ERR_REFUSED, NULL, "access denied for {who}",
     "the account is for a user of the server's system: log in as that one, or have a password set for it"},
    {1862, ERR_REFUSED, NULL, "the password has expired",
     "on a terminal: broker connect, then: alter user user() identified by ..."},
    {2002, ERR_UNREACHABLE, NULL, "{endpoint}: {reason}", "start the server, or set host or socket"},
    {2003, ERR_UNREACHABLE, NULL, "{endpoint}: {reason}",
     "check port and firewall; a server behind a bastion needs via"},
    {2005, ERR_UNREACHABLE, NULL, "{endpoint}: {reason}",
     "check host; a name that only a bastion knows needs via"},
    {2013, ERR_UNREACHABLE, "system error: 110", "{endpoint}: no answer in time",
     "check that it is a MySQL server; a slow one needs a longer connect_timeout"},
    {2013, ERR_UNREACHABLE, NULL, "{endpoint}: the server went away before the login",
     "check that it is a MySQL server, and that it admits this machine"},
    {2026, ERR_UNREACHABLE, "support it", "{endpoint}: the server has no TLS",
     "tls = preferred connects without it: anybody on the way can read and change what is sent"},
    {2026, ERR_UNREACHABLE, NULL, "{text}",
     "set tls_ca to the server's authority; where an option file sets ssl-...: my_cnf = no"},
    {2059, ERR_REFUSED, "mysql_clear_password", IN_CLEAR},
    {2059, ERR_REFUSED, "dialog", IN_CLEAR},
    {2059, ERR_REFUSED, "sha256_password", "the server wants the password itself (sha256_password)",
     "tls = verify-identity: a server that is verified may have it"},
    {2059, ERR_REFUSED, NULL, "the client lacks the plug-in {plugin}, which the account needs",
     "set client to one that has it"},
    {2061, ERR_REFUSED, NULL, "the account's log-in needs TLS, or the server's public key",
     "tls = required, or server_public_key = yes"},
    {3118, ERR_REFUSED, NULL, "the account is locked", "have it unlocked: alter user ... account unlock"},
    {3159, ERR_REFUSED, NULL, "the server takes no connection without TLS", "tls = required"},
    {4151, ERR_REFUSED, NULL, "the account is locked", "have it unlocked: alter user ... account unlock"},
};

static const char *error_line(const char *text)
{
    const char *at = text_starts(text, "ERROR ") ? text : strstr(text, "\nERROR ");

    return at && *at == '\n' ? at + 1 : at;
}

unsigned server_error_number(const char *client_stderr)
{
    const char *line = error_line(client_stderr);

    return line ? (unsigned)strtoul(line + sizeof "ERROR " - 1, NULL, 10) : 0;
}

bool server_error_is_way(unsigned number)
{
    return number == 2002 || number == 2003 || number == 2005;
}

/* The text behind "ERROR 1045 (28000): ", to the end of the line; *unverified: it came before TLS. */
static char *error_text(const char *line, bool *unverified)
{
    const char *colon = strstr(line, ": ");
    const char *text = colon ? colon + 2 : line;

    *unverified = text_starts(text, KEEPER_UNVERIFIED);
    text += *unverified ? sizeof KEEPER_UNVERIFIED - 1 : 0;
    return mem_strndup(text, strcspn(text, "\n"));
}

/* 'app'@'10.0.1.9' in the server's words becomes app@10.0.1.9. */
static char *quoted_who(const char *text)
{
    const char *user = strchr(text, '\''), *user_end = user ? strstr(user + 1, "'@'") : NULL;
    const char *host = user_end ? user_end + 3 : NULL, *host_end = host ? strchr(host, '\'') : NULL;

    if (!host_end)
        return NULL;
    return mem_printf("%.*s@%.*s", (int)(user_end - user - 1), user + 1, (int)(host_end - host), host);
}

/* No error line: the client itself could not start its work (an unknown option in a file, a missing library).
 */
static unsigned client_trouble(const char *text, int status, struct err *e)
{
    AUTO_BUF(how, 128);

    proc_describe_status(&how, status);
    (void)err_set(e, ERR_CONFIG, WIFEXITED(status) ? "the client ended with %s" : "the client was %s",
                  buf_str(&how));
    (void)err_detail_lines(e, text);
    (void)err_hint(e, "an option file that it does not understand is left out with my_cnf = no");
    return 0;
}

static void fill(char *to, size_t size, const char *template, const char *const *names,
                 const char *const *values)
{
    AUTO_BUF(text, 16384);

    text_fill(&text, template, names, values);
    size_t n = strnlen(buf_str(&text), size - 1);
    memcpy(to, buf_str(&text), n);
    to[n] = '\0';
}

/* "1045 access denied": the number stays, for those who look it up. */
static void put_number(struct err *e, unsigned number)
{
    AUTO_FREE(char *, msg);

    msg = mem_printf("%u %s", number, e->msg);
    (void)snprintf(e->msg, sizeof e->msg, "%s", msg);
}

/* "Authentication plugin 'NAME' cannot be loaded: ...", "Plugin NAME could not be loaded: ..." */
static char *missing_plugin(const char *text)
{
    const char *at = strstr(text, "lugin ");

    if (!at)
        return NULL;
    at += sizeof "lugin " - 1;
    at += *at == '\'';
    return mem_strndup(at, strcspn(at, "' "));
}

/*
 * One number for one trouble, whichever family says it: a TCP failure is 2003; where the port answers when we
 * look, the server had hung up; a plug-in that MariaDB's client lacks is no refusal of the server's.
 */
static unsigned plain_number(const struct plan *plan, unsigned number, const char *text, const char *reason)
{
    if ((number == 2002 || number == 2003) && !plan->conn.socket)
        return reason && !*reason ? 2013 : 2003;
    return number == 1045 && strstr(text, "could not be loaded") ? 2059 : number;
}

unsigned server_error_explain(const struct plan *plan, const char *client_stderr, int status,
                              const char *reason, struct err *e)
{
    static const char *const names[] = {"who",    "database", "endpoint", "text",
                                        "reason", "refused",  "plugin",   NULL};
    const char *line = error_line(client_stderr);
    unsigned number = server_error_number(client_stderr);
    AUTO_FREE(char *, text);
    AUTO_FREE(char *, who);
    AUTO_FREE(char *, plugin);
    AUTO_BUF(refused, 512);
    const struct row *row = NULL;
    bool unverified;

    if (!line)
        return client_trouble(client_stderr, status, e);
    log_step("server", "%.*s", (int)strcspn(line, "\n"), line);
    text = error_text(line, &unverified);
    who = quoted_who(text);
    plugin = missing_plugin(text);
    number = plain_number(plan, number, text, reason);
    for (size_t i = 0; i < ARRAY_LEN(rows) && !row; i++) {
        if (rows[i].number == number && (!rows[i].only || strstr(text, rows[i].only)))
            row = &rows[i];
    }
    if (plan->provider && plan->provider->refused)
        plan->provider->refused(plan->profile, &refused);
    else
        buf_puts(&refused, "check user and password");
    const char *values[] = {who ? who : plan->conn.user,       plan->conn.database, plan->endpoint, text,
                            reason && *reason ? reason : text, buf_str(&refused),   plugin,         NULL};
    (void)err_set(e,
                  row                               ? row->code
                  : number < 2000 || number >= 3000 ? ERR_REFUSED
                                                    : ERR_UNREACHABLE,
                  "%s", text);
    if (row) {
        fill(e->msg, sizeof e->msg, row->words, names, values);
        fill(e->hint, sizeof e->hint, row->hint, names, values);
    } else {
        (void)err_hint(e, "look error %u up in the manual of the server", number);
    }
    if (unverified)
        (void)err_detail(e, "it was said before TLS: the server, or somebody on the way");
    put_number(e, number);
    return number;
}
