/*
 * The pure part of a run. Nothing is looked up, opened or asked here: same profile and facts, same plan. What
 * this build cannot do yet is refused here, with the ways out, and nowhere else.
 */
#include <session/plan.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <model/address.h>
#include <model/kinds.h>

void plan_release(struct plan *plan)
{
    free(plan->label);
    free(plan->endpoint);
    *plan = (struct plan){0};
}

/* Known in the config, not in this build: SPEC lets the file have it and refuses the run that needs it. A
 * secret alone needs no way to the server. */
static int refuse_later(const struct profile *p, enum purpose purpose, struct err *e)
{
    const char *via = profile_str(p, KEY_via);

    if (purpose != FOR_SECRET && via && !text_equal(via, "direct")) {
        (void)err_set(e, ERR_CONFIG, "via = %s: this version has no tunnels", via);
        return err_hint(e, "open the tunnel yourself, then set host = 127.0.0.1, its port, and via = direct");
    }
    if (text_equal(profile_str(p, KEY_login), "keeper")) {
        (void)err_set(e, ERR_CONFIG, "login = keeper: this version has no keeper");
        return err_hint(e, "login = client");
    }
    return 0;
}

static int refuse_provider(const char *auth, struct err *e)
{
    AUTO_BUF(names, 512);

    for (const struct kind *k = kind_providers; k->name; k++)
        buf_printf(&names, " %s", k->name);
    (void)err_set(e, ERR_CONFIG, "auth = %s: not in this version", auth);
    return err_hint(e, "auth = one of:%s", buf_str(&names));
}

/* A password in the URL stands for the stored or typed one; any other provider was asked for and is used. */
static int choose_provider(const struct profile *p, struct plan *plan, struct err *e)
{
    const char *auth = profile_str(p, KEY_auth);

    if (p->password && (text_equal(auth, "keychain") || text_equal(auth, "prompt")))
        return 0;
    plan->provider = provider_find(auth);
    if (!plan->provider)
        return refuse_provider(auth, e);
    if (plan->provider->needs_user && !profile_str(p, KEY_user)) {
        (void)err_set(e, ERR_CONFIG, "auth = %s needs a user", auth);
        return p->name ? err_hint(e, "set user in [profile %s]", p->name) : err_hint(e, "give --user");
    }
    return plan->provider->check ? plan->provider->check(p, e) : 0;
}

static void fill_connection(const struct profile *p, const struct facts *f, struct connection *c)
{
    const char *zone = profile_str(p, KEY_time_zone), *socket = profile_str(p, KEY_socket);

    *c = (struct connection){
        .user = profile_str(p, KEY_user),
        .host = socket ? NULL : profile_str(p, KEY_host),
        .port = profile_number(p, KEY_port),
        .socket = text_equal(socket, "auto") && f->socket ? f->socket : socket,
        .database = profile_str(p, KEY_database),
        .tls = tls_level_parse(profile_str(p, KEY_tls)),
        .tls_ca = profile_str(p, KEY_tls_ca) ? profile_str(p, KEY_tls_ca) : f->ca_file,
        .tls_cert = profile_str(p, KEY_tls_cert),
        .tls_key = profile_str(p, KEY_tls_key),
        .tls_ciphers = profile_str(p, KEY_tls_ciphers),
        .tls_version = profile_str(p, KEY_tls_version),
        .cleartext = profile_bool(p, KEY_cleartext),
        .server_public_key = profile_bool(p, KEY_server_public_key),
        .compress = profile_bool(p, KEY_compress),
        .local_infile = profile_bool(p, KEY_local_infile),
        .time_zone = text_equal(zone, "server") ? NULL : zone,
        .connect_timeout = (unsigned)((profile_ms(p, KEY_connect_timeout) + 999) / 1000),
        .includes = (const char *const *)f->includes.word,
    };
}

/* MariaDB's clients have two words for TLS, "if offered" and "verify"; the levels between need the keeper. */
static int check_mariadb(const struct connection *c, struct err *e)
{
    if (c->socket || c->tls <= TLS_PREFERRED)
        return 0;
    if (c->tls == TLS_VERIFY_IDENTITY && !host_is_loopback(c->host))
        return 0;
    if (c->tls == TLS_VERIFY_IDENTITY) {
        (void)err_set(e, ERR_CONFIG, "tls = verify-identity: a MariaDB client checks no name for %s",
                      c->host);
        return err_hint(e, "set host to the name in the server's certificate, or client to Oracle's mysql");
    }
    (void)err_set(e, ERR_CONFIG, "tls = %s cannot be said to a MariaDB client", tls_level_name(c->tls));
    return err_hint(
        e, "set client to Oracle's mysql, or tls_ca to the server's authority (the name is verified then), "
           "or tls = preferred: a man in the middle can switch TLS off");
}

static int check_authorities(const struct connection *c, struct err *e)
{
    if (c->socket || c->tls < TLS_VERIFY_CA || c->tls_ca)
        return 0;
    (void)err_set(e, ERR_CONFIG, "tls = %s, and this system has no file of certificate authorities",
                  tls_level_name(c->tls));
    return err_hint(e, "set tls_ca to the PEM file of the server's authority, or install ca-certificates");
}

/* A client verifies the name that it dials, and that is not the one which the certificate is for. */
static int check_sign_host(const struct profile *p, const struct connection *c, struct err *e)
{
    const char *name = profile_str(p, KEY_sign_host);

    if (!name || !text_equal(profile_str(p, KEY_auth), "iam") || c->socket || c->tls < TLS_VERIFY_IDENTITY ||
        text_equal_nocase(name, c->host))
        return 0;
    (void)err_set(e, ERR_CONFIG, "sign_host = %s with tls = verify-identity: this version has no keeper",
                  name);
    return err_hint(e, "set host = %s where it can be reached, or tls = verify-ca with Oracle's mysql", name);
}

static void name_endpoint(struct plan *plan)
{
    const struct connection *c = &plan->conn;

    if (c->socket)
        plan->endpoint = mem_strdup(c->socket);
    else
        plan->endpoint = mem_printf(strchr(c->host, ':') ? "[%s]:%u" : "%s:%u", c->host, c->port);
}

int plan_make(const struct profile *p, const struct facts *f, enum purpose purpose, struct plan *out,
              struct err *e)
{
    struct connection *c = &out->conn;
    int checked = 0;

    out->profile = p;
    out->label = profile_label(p);
    if (refuse_later(p, purpose, e) < 0 || choose_provider(p, out, e) < 0)
        return -1;
    fill_connection(p, f, c);
    name_endpoint(out);
    if (purpose != FOR_CLIENT)
        return 0;
    out->client = &f->client;
    if (check_sign_host(p, c, e) < 0)
        return -1;
    checked = f->client.flavour == FLAVOUR_MARIADB && check_mariadb(c, e) < 0 ? -1 : check_authorities(c, e);
    out->restrict_plugins = f->client.flavour == FLAVOUR_MARIADB && !c->socket && c->tls <= TLS_PREFERRED &&
                            !text_equal(profile_str(p, KEY_auth), "client");
    return checked;
}

static void put_row(struct buf *out, const char *label, const char *text)
{
    buf_printf(out, "%-10s  %s\n", label, text);
}

static void print_tls(const struct plan *plan, struct buf *out)
{
    AUTO_BUF(text, 8192);
    const struct connection *c = &plan->conn;

    buf_puts(&text, tls_level_name(c->tls));
    if (c->tls != TLS_DISABLED)
        buf_puts(&text, ", by the client");
    if (c->tls >= TLS_VERIFY_CA && c->tls_ca)
        buf_printf(&text, ", %s", c->tls_ca);
    put_row(out, "tls", buf_str(&text));
}

static void print_client(const struct plan *plan, char *const *args, struct buf *out)
{
    AUTO_BUF(text, 65536);

    text_quote_sh(&text, plan->client->path);
    buf_puts(&text, " --defaults-file=/dev/fd/N");
    for (; args && *args; args++) {
        buf_putc(&text, ' ');
        text_quote_sh(&text, *args);
    }
    put_row(out, "client", buf_str(&text));
}

static void describe_credential(const struct plan *plan, struct buf *out)
{
    AUTO_BUF(scope, 1024);

    if (!plan->provider) {
        buf_puts(out, "password of the URL");
        return;
    }
    plan->provider->describe(plan->profile, out);
    if (plan->provider->describe_scope)
        plan->provider->describe_scope(plan->profile, &scope);
    if (scope.len)
        buf_printf(out, ", %s", buf_str(&scope));
}

void plan_print(const struct plan *plan, char *const *args, struct buf *out)
{
    AUTO_BUF(credential, 4096);
    const struct connection *c = &plan->conn;

    describe_credential(plan, &credential);
    put_row(out, "endpoint", plan->endpoint);
    if (plan->provider && plan->provider->login) {
        AUTO_BUF(login, 4096);
        plan->provider->describe_login(plan->profile, &login);
        put_row(out, "login", buf_str(&login));
    }
    put_row(out, "way", "direct");
    print_tls(plan, out);
    put_row(out, "credential", buf_str(&credential));
    put_row(out, "address", c->socket ? "unix socket" : plan->endpoint);
    if (plan->client)
        print_client(plan, args, out);
}
