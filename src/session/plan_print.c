/* SPDX-License-Identifier: MIT */
/* Prints a plan as the lines of --dry-run. Secrets in arguments are left out. */
#include <session/plan.h>

#include <string.h>

#include <base/mem.h>

#define BY_KEEPER ", by the keeper"

static void put_row(struct buf *out, const char *label, const char *text)
{
    buf_printf(out, "%-10s  %s\n", label, text);
}

static void print_tls(const struct plan *plan, struct buf *out)
{
    AUTO_BUF(text, 8192);
    const struct connection *c = &plan->conn;

    if (plan->login_by_keeper && plan_own_socket(plan->profile)) {
        put_row(out, "tls", "none, it is the server's own socket");
        return;
    }
    buf_puts(&text, tls_level_name(c->tls));
    if (c->tls != TLS_DISABLED)
        buf_puts(&text, plan->tls_by_keeper ? BY_KEEPER : ", by the client");
    if (c->tls >= TLS_VERIFY_CA && c->tls_ca)
        buf_printf(&text, ", %s", c->tls_ca);
    put_row(out, "tls", buf_str(&text));
}

/* Returns how many bytes of an argument may be shown: all of it, or the part before a secret. -p is a
 * password only for MySQL clients. */
static size_t shown_length(const char *arg, const char *before, bool is_client)
{
    const char *equals = strchr(arg, '=');
    AUTO_FREE(char *, name);

    if (is_client && text_starts(arg, "-p") && arg[2])
        return 2;
    if (before && text_starts(before, "--") && key_is_secret(before + 2) && *arg != '-')
        return 0;
    if (!text_starts(arg, "--") || !equals)
        return strlen(arg);
    name = mem_strndup(arg + 2, (size_t)(equals - arg - 2));
    return key_is_secret(name) ? (size_t)(equals - arg + 1) : strlen(arg);
}

/* Appends the client with our option file (or the command, if there is no client), and the arguments. */
static void print_words(const struct plan *plan, char *const *args, struct buf *out)
{
    AUTO_BUF(text, 65536);

    if (plan->client) {
        text_quote_sh(&text, plan->client->path);
        buf_puts(&text, " --defaults-file=/dev/fd/N");
    }
    bool is_client = plan->client || (args && *args && client_is_known(*args));
    for (size_t i = 0; args && args[i]; i++) {
        AUTO_FREE(char *, shown);
        size_t n = shown_length(args[i], i ? args[i - 1] : NULL, is_client);
        shown = mem_strndup(args[i], n);
        if (text.len)
            buf_putc(&text, ' ');
        if (n || !args[i][0])
            text_quote_sh(&text, shown);
        if (args[i][n])
            buf_puts(&text, "********");
    }
    put_row(out, plan->client ? "client" : "command", buf_str(&text));
}

#define FREE_PORT "127.0.0.1, a free port"

static const char *address_of(const struct plan *plan)
{
    if (!plan->keeper)
        return plan->conn.socket ? "unix socket" : plan->endpoint;
    if (plan->port_listener && (plan->path_listener || plan->conn.socket))
        return FREE_PORT ", and a unix socket";
    return plan->unix_listener ? "unix socket" : FREE_PORT;
}

static void describe_credential(const struct plan *plan, struct buf *out)
{
    AUTO_BUF(scope, 1024);

    if (plan->provider)
        plan->provider->describe(plan->profile, out);
    else
        buf_puts(out, "password of the URL");
    if (plan->provider && plan->provider->describe_scope)
        plan->provider->describe_scope(plan->profile, &scope);
    if (scope.len)
        buf_printf(out, ", %s", buf_str(&scope));
}

void plan_print(const struct plan *plan, char *const *args, struct buf *out)
{
    AUTO_BUF(credential, 4096);

    put_row(out, "endpoint", plan->endpoint);
    if (plan->provider && plan->provider->login) {
        AUTO_BUF(login, 4096);
        plan->provider->describe_login(plan->profile, &login);
        put_row(out, "login", buf_str(&login));
    }
    put_row(out, "route", plan->route);
    if (plan->purpose == FOR_FORWARD)
        return;
    print_tls(plan, out);
    describe_credential(plan, &credential);
    put_row(out, "credential", buf_str(&credential));
    if (plan->login_by_keeper)
        put_row(out, "keeper", PLAN_LOGS_IN);
    if (plan->purpose == FOR_INJECT)
        return;
    put_row(out, "address", address_of(plan));
    if (plan->client || args)
        print_words(plan, args, out);
}
