/* SPDX-License-Identifier: MIT */
/* The pure part of a run. Nothing is looked up, opened or asked here: the same profile and facts give the
 * same plan. What this build cannot do is refused here, and the hint names the alternatives. */
#include <session/plan.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <model/address.h>
#include <model/identity.h>
#include <model/kinds.h>

#include "ca_certs.h"

void plan_release(struct plan *plan)
{
    free(plan->label);
    free(plan->endpoint);
    free(plan->route);
    *plan = (struct plan){0};
}

/* Without a user name, a client would try to log in with the name of the user on this machine. */
int plan_check_user(const struct plan *plan, const struct credential *got, struct err *e)
{
    const struct profile *p = plan->profile;
    const struct provider *provider = plan->provider;
    bool may_lack = provider && !provider->needs_user &&
                    (plan->purpose == FOR_SECRET || provider->any_user || (!got && provider->names_user));

    if (may_lack || profile_str(p, KEY_user) || (got && got->user))
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s%s %s", provider ? "auth = " : "the URL's password",
                  provider ? provider->name : "",
                  got ? "gave no user, and the profile has none" : "needs a user");
    return p->name ? err_hint(e, "set user in [profile %s]", p->name) : err_hint(e, "give --user");
}

/* A password in the URL replaces a stored or typed one. Other providers were chosen explicitly and are used.
 */
static int choose_provider(const struct profile *p, struct plan *plan, struct err *e)
{
    const char *auth = profile_str(p, KEY_auth);

    if (profile_uses_url_password(p))
        return plan_check_user(plan, NULL, e);
    if (plan_check_url(p, e) < 0)
        return -1;
    plan->provider = provider_find(auth);
    if (!plan->provider)
        return err_set(e, ERR_BUG, "auth = %s: no such provider", auth);
    if (plan_check_user(plan, NULL, e) < 0)
        return -1;
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
        .system_ca = !profile_str(p, KEY_tls_ca),
        .tls_version_set = p->set[KEY_tls_version].origin > ORIGIN_BUILT_IN,
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

/* Refuses socket = auto with a tunnel, because sockets are searched for on this machine only. */
static int check_place(const struct profile *p, struct err *e)
{
    if (!profile_is_tunnelled(p) || !text_equal(profile_str(p, KEY_socket), "auto"))
        return 0;
    (void)err_set(e, ERR_CONFIG, "via = %s, but no server is set behind it", profile_str(p, KEY_via));
    return err_hint(e, "set host to the server's name as seen from the bastion, or socket to a path there");
}

static int check_ca_certs(const struct connection *c, bool own_socket, struct err *e)
{
    if (own_socket || c->tls < TLS_VERIFY_CA || c->tls_ca)
        return 0;
    (void)err_set(e, ERR_CONFIG, "tls = %s, but this system has no file of CA certificates",
                  tls_level_name(c->tls));
    return err_hint(e, "set tls_ca to the PEM file of the server's CA, or install ca-certificates");
}

/* Returns the name that the keeper verifies in the certificate; NULL: none. */
static const char *certificate_name(const struct profile *p, const struct connection *c)
{
    const char *name = profile_str(p, KEY_sign_host);

    return name && text_equal(profile_str(p, KEY_auth), "iam") ? name : c->host;
}

/*
 * Returns true if the client has no option for the required TLS level. A client verifies the name to which it
 * connects. MariaDB's clients have only two TLS levels, "if offered" and "verify", and do not check the name
 * of a loopback address. A program that does not read our option file connects without TLS, or does not
 * verify.
 */
static bool client_cannot_say(const struct plan *plan)
{
    const struct connection *c = &plan->conn;

    if (plan->purpose == FOR_OTHER)
        return c->tls >= TLS_REQUIRED;
    if (c->tls == TLS_VERIFY_IDENTITY && !text_equal_nocase(plan->tls_name, c->host))
        return true;
    if (!plan->client || plan->client->flavour != FLAVOUR_MARIADB || c->tls <= TLS_PREFERRED)
        return false;
    return c->tls != TLS_VERIFY_IDENTITY || host_is_loopback(c->host);
}

static int check_name(const struct plan *plan, struct err *e)
{
    const struct connection *c = &plan->conn;

    if (!plan->tls_by_keeper || c->tls < TLS_VERIFY_IDENTITY || plan->tls_name)
        return 0;
    (void)err_set(e, ERR_CONFIG, "tls = verify-identity, but %s has no name", plan->endpoint);
    return err_hint(e, "set host to the server's name%s",
                    ca_certs_are_own(plan->profile) ? ", or tls = verify-ca" : "");
}

/*
 * Returns true if the client's plug-ins must be restricted. A MariaDB client sends the password in cleartext
 * if the server asks for it, and without verification the server may be an attacker. The server's own socket
 * is safe.
 */
static bool must_restrict_plugins(const struct profile *p, const struct plan *plan, bool own_socket)
{
    const char *auth = profile_str(p, KEY_auth);

    return (plan->client ? plan->client->flavour == FLAVOUR_MARIADB : plan->purpose == FOR_OTHER) &&
           !own_socket && plan->conn.tls <= TLS_REQUIRED && !plan->conn.cleartext &&
           !text_equal(auth, "iam") && !text_equal(auth, "client");
}

/* --- whether the keeper or the client logs in (docs/tunnels.md) --- */

static int refuse_login(const struct plan *plan, struct err *e, const char *why, const char *otherwise)
{
    bool flag = plan->purpose == FOR_INJECT;

    (void)err_set(e, ERR_CONFIG, "%s: %s", flag ? "--inject" : "login = keeper", why);
    return err_hint(e, "%s, or %s", otherwise, flag ? "no --inject" : "login = client");
}

/* Checks that the keeper can log in. It needs user and password, and never sends a cleartext password to a
 * server that is not verified, even if the profile allows a client to. */
static int check_login(const struct profile *p, const struct plan *plan, struct err *e)
{
    const struct provider *provider = plan->provider;
    bool names_user = !provider || provider->names_user || profile_str(p, KEY_user);

    if (provider && provider->by_client)
        return refuse_login(plan, e, "auth = client leaves user and password to the client", "set auth");
    if (!names_user)
        return refuse_login(plan, e, "it needs a user", "set user");
    if (plan_cleartext(p) && plan->conn.tls < TLS_VERIFY_IDENTITY && !plan_own_socket(p))
        return refuse_login(plan, e, "it sends a password in cleartext only at tls = verify-identity",
                            "set tls = verify-identity");
    return 0;
}

/* Decides whether the keeper logs in. It does if it can and there is a keeper anyway, or the credential
 * expires. */
static int choose_login(const struct profile *p, const struct facts *f, struct plan *plan, struct err *e)
{
    const char *login = profile_str(p, KEY_login);
    bool forced = plan->purpose == FOR_INJECT || text_equal(login, "keeper");
    bool needed = plan->keeper || f->expires || (plan->provider && plan->provider->expires);
    struct err why = ERR_INIT;

    if (plan->purpose == FOR_FORWARD || (!forced && (text_equal(login, "client") || !needed)))
        return 0;
    if (check_login(p, plan, &why) == 0) {
        plan->login_by_keeper = true;
        return 0;
    }
    if (forced)
        err_copy(e, &why);
    return forced ? -1 : 0;
}

/* Refuses `revoke` unless the keeper logs in: only then is it known when the last connection has ended. */
static int check_revoke(const struct profile *p, const struct plan *plan, struct err *e)
{
    if (plan->login_by_keeper || plan->purpose == FOR_FORWARD || !profile_bool(p, KEY_vault_revoke) ||
        !text_equal(profile_str(p, KEY_auth), "vault"))
        return 0;
    (void)err_set(e, ERR_CONFIG,
                  "vault_revoke = yes, but the client logs in, so the lease would not be revoked");
    return err_hint(e, "login = keeper, or vault_revoke = no");
}

/* --- TLS, and the address to which the client connects --- */

/*
 * How many waits of up to connect_timeout the keeper may have while its client waits: a lost tunnel, the
 * server's greeting, TLS. One is added so that the keeper's error comes before the client's timeout. A keeper
 * that logs in may also have to fetch a credential, and waits longer for the server's answers.
 */
enum { KEEPER_HOPS = 4, LOGIN_HOPS = 8 };

/*
 * Decides whether keeper or client does TLS, and to which listener the client connects (docs/tunnels.md). If
 * the server's own socket is used, here or on the SSH server, the client connects to a socket too: no
 * attacker can be in between. Otherwise a client may use the keeper's socket only if the keeper does TLS,
 * because mysql treats sockets as secure. If the keeper logs in, the client has no secret to protect.
 */
static int choose_listeners(const struct profile *p, const struct facts *f, struct plan *plan, struct err *e)
{
    const struct connection *c = &plan->conn;
    bool own_socket = plan_own_socket(p), tunnelled = profile_is_tunnelled(p);
    bool program = plan->purpose == FOR_OTHER || plan->purpose == FOR_TOOL;

    plan->tls_name = certificate_name(p, c);
    if (plan->purpose == FOR_PARAMS)
        return check_ca_certs(c, own_socket, e);
    plan->keeper = tunnelled || plan->purpose == FOR_FORWARD || (!own_socket && client_cannot_say(plan));
    if (choose_login(p, f, plan, e) < 0 || check_revoke(p, plan, e) < 0)
        return -1;
    bool login = plan->login_by_keeper;
    plan->keeper |= login;
    plan->tls_by_keeper = login || (plan->keeper && !own_socket && c->tls >= TLS_REQUIRED);
    plan->unix_listener = plan->tls_by_keeper || own_socket;
    plan->port_listener = plan->keeper && (program || !plan->unix_listener);
    /* If the client uses the server's own socket on this machine, the keeper needs no socket. */
    plan->path_listener =
        plan->keeper && (program || plan->unix_listener) && (tunnelled || !own_socket || login);
    plan->conn.fixed = plan->keeper && !login;
    if (plan->keeper) /* so that the keeper's error comes before the client's "error 110" */
        plan->conn.connect_timeout *= login ? LOGIN_HOPS : KEEPER_HOPS;
    plan->restrict_plugins = !login && must_restrict_plugins(p, plan, own_socket);
    if (!plan->client && !plan->keeper)
        return 0;
    return check_ca_certs(c, own_socket, e) < 0 ? -1 : check_name(plan, e);
}

void plan_by_keeper(struct plan *plan)
{
    plan->keeper = plan->tls_by_keeper = plan->unix_listener = plan->path_listener = plan->conn.fixed = true;
    plan->conn.connect_timeout *= KEEPER_HOPS;
}

/* Sets plan->endpoint to HOST:PORT or the socket's path. */
static void name_endpoint(struct plan *plan)
{
    AUTO_BUF(text, 512);
    const struct connection *c = &plan->conn;

    if (!c->socket)
        text_address(&text, c->host, (long)c->port);
    plan->endpoint = c->socket ? mem_strdup(c->socket) : buf_take(&text);
}

/* Returns a description of the route, malloced. Of a command only the first word is shown, because arguments
 * may hold secrets. */
static char *name_route(const struct profile *p)
{
    const char *type = profile_tunnel_str(p, TUNNEL_type);
    const char *command = profile_tunnel_str(p, TUNNEL_command);
    AUTO_FREE(char *, bastion);
    AUTO_WORDS(words);
    struct err ignored = ERR_INIT;

    if (!type)
        return mem_strdup("direct");
    if (text_equal(type, "tcp"))
        return mem_printf("tcp %s", profile_tunnel_str(p, TUNNEL_address));
    if (text_equal(type, "command") && text_split_words(command, &words, &ignored) == 0)
        return mem_printf("command %s", words.word[0]);
    bastion = identity_tunnel_label(p);
    return mem_printf(profile_tunnel_str(p, TUNNEL_port) ? "%s %s" : "%s %s:22", type,
                      bastion ? bastion : "");
}

int plan_make(const struct profile *p, const struct facts *f, enum purpose purpose, struct plan *out,
              struct err *e)
{
    out->profile = p;
    out->purpose = purpose;
    out->label = profile_label(p);
    if (purpose != FOR_FORWARD && choose_provider(p, out, e) < 0)
        return -1;
    fill_connection(p, f, &out->conn);
    name_endpoint(out);
    out->route = name_route(p);
    if (purpose == FOR_SECRET)
        return 0;
    if (purpose == FOR_CLIENT || purpose == FOR_TOOL)
        out->client = &f->client;
    return check_place(p, e) < 0 ? -1 : choose_listeners(p, f, out, e);
}
