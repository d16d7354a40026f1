/* SPDX-License-Identifier: MIT */
/* Builds the record OPEN, which tells a keeper what to open, from the plan and the request. The password in
 * it is that of the keeper's own listeners, not the server's. */
#include "route.h"

#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/tty.h>
#include <model/address.h>

#include "ca_certs.h"

bool route_logs_in(const struct route_request *want)
{
    return want->listeners && want->listener[0].kind == LISTENER_LOGIN;
}

bool route_has_port(const struct route_request *want)
{
    for (unsigned i = 0; i < want->listeners; i++) {
        if (want->listener[i].host)
            return true;
    }
    return false;
}

/* Appends HOST:PORT from the config in the form that the keeper expects. */
static void put_tunnel_address(struct buf *out, const char *value)
{
    AUTO_FREE(char *, host);
    long port = -1;

    if (*value != '/' && address_split(value, &host, &port) && port >= 0)
        keeper_address_put(out, NULL, host, (unsigned)port);
    else
        buf_puts(out, value);
}

static void put_tunnel(const struct profile *p, struct record *open)
{
    AUTO_FREE(char *, name);

    name = p->tunnel_name ? mem_printf("name=%s", p->tunnel_name) : NULL;
    record_put_str(open, KEEPER_TAG_TUNNEL, profile_is_tunnelled(p) ? name : "type=direct");
    for (size_t k = 0; k < TUNNEL_COUNT && profile_is_tunnelled(p); k++) {
        const char *value = profile_tunnel_str(p, (enum tunnel_key)k);
        AUTO_BUF(text, 65536);
        long ms;
        if (!value)
            continue;
        buf_printf(&text, "%s=", tunnel_key_infos[k].name);
        if (k == TUNNEL_address)
            put_tunnel_address(&text, value);
        else if (tunnel_key_infos[k].type == KEY_TIME && duration_parse(value, &ms))
            buf_printf(&text, "%ld", ms);
        else
            buf_puts(&text, value);
        record_put(open, KEEPER_TAG_TUNNEL, buf_str(&text), text.len);
    }
}

static enum keeper_tls level_of(const struct plan *plan, bool logs_in)
{
    static const enum keeper_tls levels[] = {KEEPER_TLS_NONE, KEEPER_TLS_OFFERED, KEEPER_TLS_ENCRYPT,
                                             KEEPER_TLS_CHAIN, KEEPER_TLS_NAME};
    enum keeper_tls level = levels[plan->conn.tls];

    if (!logs_in) /* otherwise the client does TLS, and the keeper's listeners do not */
        return level < KEEPER_TLS_ENCRYPT ? KEEPER_TLS_ENCRYPT : level;
    return plan_own_socket(plan->profile) ? KEEPER_TLS_NONE : level;
}

static void put_tls(const struct plan *plan, bool logs_in, struct record *open)
{
    const struct connection *c = &plan->conn;
    bool verifies = c->tls >= TLS_VERIFY_CA;

    record_put_u64(open, KEEPER_TAG_TLS, level_of(plan, logs_in));
    record_put_str(open, KEEPER_TAG_TLS_NAME, plan->tls_name);
    record_put_str(open, KEEPER_TAG_TLS_CA, verifies ? c->tls_ca : NULL);
    if (verifies && ca_certs_are_own(plan->profile))
        record_put(open, KEEPER_TAG_TLS_CA_OWN, "", 0);
    record_put_str(open, KEEPER_TAG_TLS_CERT, c->tls_cert);
    record_put_str(open, KEEPER_TAG_TLS_KEY, c->tls_key);
    record_put_str(open, KEEPER_TAG_TLS_CIPHERS, c->tls_ciphers);
    record_put_str(open, KEEPER_TAG_TLS_VERSION, c->tls_version);
}

static void put_flag(struct record *open, bool is_set, uint8_t tag)
{
    if (is_set)
        record_put(open, tag, "", 0);
}

static void put_key(struct record *open, const char *prefix, const char *name, const struct setting *s)
{
    AUTO_BUF(text, 131072);
    bool said = s->value && s->origin > ORIGIN_DERIVED;

    buf_printf(&text, "%s%s=%s", prefix, name, said ? s->value : "");
    record_put(open, KEEPER_TAG_KEY, buf_str(&text), text.len);
}

/* Adds all keys, so that a later change of the profile has no effect on this keeper. An empty value unsets a
 * key. `inherits` is left out, because inherited keys are among them. */
static void put_keys(const struct profile *p, struct record *open)
{
    static const struct setting unset = {0};
    AUTO_BUF(text, 256);

    if (p->name) {
        buf_printf(&text, "profile=%s", p->name);
        record_put(open, KEEPER_TAG_KEY, buf_str(&text), text.len);
    }
    for (size_t k = 0; k < KEY_COUNT; k++)
        put_key(open, "", key_infos[k].name, k == KEY_inherits ? &unset : &p->set[k]);
    for (size_t k = 0; k < TUNNEL_COUNT && profile_is_tunnelled(p); k++)
        put_key(open, "tunnel.", tunnel_key_infos[k].name, &p->tunnel[k]);
}

static void put_login(const struct plan *plan, const struct secret *password, struct record *open)
{
    const struct profile *p = plan->profile;
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, broker);

    folder = proc_self_dir();
    broker = mem_printf("%s/broker", folder);
    record_put_str(open, KEEPER_TAG_BROKER, broker);
    put_keys(p, open);
    put_flag(open, plan->conn.local_infile, KEEPER_TAG_LOCAL_INFILE);
    put_flag(open, plan->conn.server_public_key, KEEPER_TAG_SERVER_PUBLIC_KEY);
    put_flag(open, plan->client, KEEPER_TAG_STOCK_CLIENT);
    put_flag(open, profile_bool(p, KEY_vault_revoke), KEEPER_TAG_REVOKE);
    record_put_str(open, KEEPER_TAG_USER, plan->conn.user ? plan->conn.user : ROUTE_ANY_USER);
    if (password)
        record_put_secret(open, KEEPER_TAG_SECRET, password);
}

static enum log_level verbosity(void)
{
    enum log_level most = LOG_SAY;

    for (enum log_level level = LOG_SAY; level <= LOG_TRACE; level++)
        most = log_wants(level) ? level : most;
    return most;
}

void route_record(const struct plan *plan, const struct route_request *want, const struct secret *password,
                  int64_t deadline, struct record *open)
{
    const struct profile *p = plan->profile;
    const struct connection *c = &plan->conn;

    open->kind = KEEPER_OPEN;
    record_put_str(open, KEEPER_TAG_LABEL, plan->label);
    record_put_str(open, KEEPER_TAG_HOST, c->socket ? NULL : c->host);
    record_put_str(open, KEEPER_TAG_SOCKET, c->socket);
    record_put_u64(open, KEEPER_TAG_PORT, c->port);
    put_flag(open, plan_own_socket(p), KEEPER_TAG_OWN_SOCKET);
    for (unsigned i = 0; i < want->listeners; i++)
        local_address_put(open, &want->listener[i]);
    put_tls(plan, route_logs_in(want), open);
    put_tunnel(p, open);
    if (route_logs_in(want))
        put_login(plan, password, open);
    record_put_u64(open, KEEPER_TAG_CONNECT_TIMEOUT, (uint64_t)profile_ms(p, KEY_connect_timeout));
    record_put_u64(open, KEEPER_TAG_LOGIN_TIMEOUT, (uint64_t)profile_ms(p, KEY_login_timeout));
    if (deadline != CLOCK_NEVER)
        record_put_u64(open, KEEPER_TAG_DEADLINE, (uint64_t)clock_left(deadline) + 1);
    record_put_u64(open, KEEPER_TAG_DRAIN, (uint64_t)want->drain_ms);
    put_flag(open, want->first, KEEPER_TAG_FIRST);
    put_flag(open, want->lasts, KEEPER_TAG_LASTS);
    put_flag(open, isatty(STDERR_FILENO) && tty_present(), KEEPER_TAG_PERSON);
    record_put_str(open, KEEPER_TAG_NAME, want->name);
    record_put_str(open, KEEPER_TAG_CONTROL, want->control);
    record_put_str(open, KEEPER_TAG_LOG, want->log);
    record_put_str(open, KEEPER_TAG_DIGEST, want->digest);
    record_put_u64(open, KEEPER_TAG_VERBOSE, verbosity());
}
