/* SPDX-License-Identifier: MIT */
/* Explains errors of the server. The common ones are rows of server_errors.def. For others the server's own
 * text is used, sanitised for a terminal. */
#include "server_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ipc/keeper.h>
#include <model/address.h>

/* The columns are explained in server_errors.def. */
static const struct row {
    unsigned number;
    enum err_code code;
    const char *only, *words, *hint;
} rows[] = {
#define SERVER_ERROR(number, class, only, words, hint, means) {number, ERR_##class, only, words, hint},
#include "server_errors.def"
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

bool server_error_is_route(unsigned number)
{
    return number == 2002 || number == 2003 || number == 2005;
}

/* Finds the server's error in a message of MariaDB's clients, which wrap an error received before TLS ("NNNN
 * - text") in one of their own. */
static const char *inner_error(const char *text, unsigned *number)
{
    const char *before = strstr(text, "before completion of TLS handshake"), *at = before;
    char *end;

    while (at && (at = strstr(at, ": "))) {
        at += 2;
        unsigned long inner = strtoul(at, &end, 10);
        if (inner >= 1000 && inner <= 9999 && text_starts(end, " - ")) {
            *number = (unsigned)inner;
            return end + sizeof " - " - 1;
        }
    }
    return NULL;
}

/* Returns the text after "ERROR 1045 (28000): ", to the end of the line. *unverified is true if it was
 * received before TLS. */
static char *error_text(const char *line, unsigned *number, bool *unverified)
{
    const char *colon = strstr(line, ": ");
    const char *text = colon ? colon + 2 : line, *inner = inner_error(text, number);

    *unverified = inner || text_starts(text, KEEPER_UNVERIFIED);
    text = inner ? inner : text + (*unverified ? sizeof KEEPER_UNVERIFIED - 1 : 0);
    return mem_strndup(text, strcspn(text, "\n"));
}

/* Returns 'app'@'10.0.1.9' in the server's text as app@10.0.1.9; malloced. */
static char *quoted_who(const char *text)
{
    const char *user = strchr(text, '\''), *user_end = user ? strstr(user + 1, "'@'") : NULL;
    const char *host = user_end ? user_end + 3 : NULL, *host_end = host ? strchr(host, '\'') : NULL;

    if (!host_end)
        return NULL;
    return mem_printf("%.*s@%.*s", (int)(user_end - user - 1), user + 1, (int)(host_end - host), host);
}

/* Reports that the client printed no error line: it could not start (an unknown option in a file, a missing
 * library). */
static unsigned client_trouble(const char *text, int status, struct err *e)
{
    AUTO_BUF(how, 128);

    proc_describe_status(&how, status);
    (void)err_set(e, ERR_CONFIG, WIFEXITED(status) ? "the client ended with %s" : "the client was %s",
                  buf_str(&how));
    (void)err_detail_lines(e, text);
    if (WIFEXITED(status))
        (void)err_hint(e, "my_cnf = no leaves out your option files, if it does not understand one");
    else
        (void)err_hint(e, "run it again, or set client to another one");
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

/* Returns NAME from "Authentication plugin 'NAME' cannot be loaded: ..." or "Plugin NAME could not be loaded:
 * ...". */
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
 * Maps the numbers of both client families to one per problem. A failed TCP connection is 2003; if the port
 * answers us, the server had closed the connection (2013). A plug-in that MariaDB's client lacks is 2059,
 * because the server has not refused anything.
 */
static unsigned plain_number(const struct plan *plan, unsigned number, const char *text, const char *reason)
{
    if ((number == 2002 || number == 2003) && !plan->conn.socket)
        return reason && !*reason ? 2013 : 2003;
    return number == 1045 && strstr(text, "could not be loaded") ? 2059 : number;
}

/* Returns a hint about other reasons for the server's error 1045: the account may require TLS or a
 * certificate. Accounts that use IAM tokens never do. */
static const char *account_hint(const struct plan *plan)
{
    if (plan->conn.socket || text_equal(profile_str(plan->profile, KEY_auth), "iam"))
        return "";
    if (plan->conn.tls < TLS_REQUIRED)
        return "; REQUIRE SSL needs tls = required, REQUIRE X509 tls_cert too";
    return plan->conn.tls_cert ? "" : "; REQUIRE X509 needs tls_cert";
}

/* Returns a hint that the server on the SSH host may listen only on its socket, or have the account only for
 * it. */
static const char *socket_hint(const struct plan *plan)
{
    const struct connection *c = &plan->conn;

    return !c->socket && c->host && host_is_loopback(c->host) &&
                   text_equal(profile_tunnel_str(plan->profile, TUNNEL_type), "ssh")
               ? "; or by its socket: socket = /run/mysqld/mysqld.sock"
               : "";
}

int server_error_of_route(const struct plan *plan, struct err *e)
{
    AUTO_FREE(char *, hint);

    if (e->number != 2003 || !strstr(e->msg, "refused"))
        return -1;
    hint = mem_printf("%s%s", e->hint, socket_hint(plan));
    return err_hint(e, "%s", hint);
}

/* Returns the error line. mysql's message about an expired password has no number if the client is not
 * interactive. */
static const char *line_of(const char *client_stderr)
{
    if (strstr(client_stderr, "--connect-expired-password"))
        return "ERROR 1862 (HY000): the password has expired";
    return error_line(client_stderr);
}

unsigned server_error_explain(const struct plan *plan, const char *client_stderr, int status,
                              const char *reason, struct err *e)
{
    static const char *const names[] = {"who",    "database", "endpoint", "text",   "reason", "refused",
                                        "plugin", "name",     "account",  "socket", NULL};
    const char *line = line_of(client_stderr);
    unsigned number = server_error_number(line ? line : "");
    AUTO_FREE(char *, text);
    AUTO_FREE(char *, who);
    AUTO_FREE(char *, plugin);
    AUTO_BUF(refused, 512);
    const struct row *row = NULL;
    bool unverified;

    if (!line)
        return client_trouble(client_stderr, status, e);
    log_step("server", "%.*s", (int)strcspn(line, "\n"), line);
    text = error_text(line, &number, &unverified);
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
    const char *name = plan->profile->name ? plan->profile->name : "URL";
    const char *values[] = {who ? who : plan->conn.user,
                            plan->conn.database,
                            plan->endpoint,
                            text,
                            reason && *reason ? reason : text,
                            buf_str(&refused),
                            plugin,
                            name,
                            account_hint(plan),
                            socket_hint(plan),
                            NULL};
    (void)err_set(e,
                  row                               ? row->code
                  : number < 2000 || number >= 3000 ? ERR_REFUSED
                                                    : ERR_UNREACHABLE,
                  "%s", text);
    if (row) {
        fill(e->msg, sizeof e->msg, row->words, names, values);
        fill(e->hint, sizeof e->hint, row->hint, names, values);
    } else {
        (void)err_hint(e, "look up error %u in the server's manual", number);
    }
    if (unverified)
        (void)err_detail(e, SERVER_ERROR_BEFORE_TLS);
    err_number(e, number);
    return number;
}
