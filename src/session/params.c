/* SPDX-License-Identifier: MIT */
/*
 * Gets the parameters for `broker params`: the address to connect to, and the credential. If a tunnel is
 * needed, the address is that of a running forward, which is looked up before a credential is fetched. No
 * forward is started here.
 */
#include <session/params.h>

#include <string.h>

#include <base/mem.h>
#include <base/text.h>

void params_release(struct params *p)
{
    forward_release(&p->forward);
}

static const char *forward_name(const struct session *s)
{
    return s->profile.name ? s->profile.name : s->plan.endpoint;
}

static int no_forward(const struct session *s, struct err *e)
{
    (void)err_set(e, ERR_UNREACHABLE, "no forward");
    if (s->profile.name)
        return err_hint_sh(e, "broker forward %s --detach", s->profile.name);
    return err_hint(e, "broker forward --detach, with the same options");
}

/* Checks that the forward still leads to the profile's server: config or command line may have changed since
 * it was opened. */
static int check_leads_there(const struct session *s, const struct forward *f, struct err *e)
{
    const struct connection *c = &s->plan.conn;
    bool same = c->socket ? text_equal(f->endpoint_socket, c->socket)
                          : text_equal(f->endpoint_host, c->host) && f->endpoint_port == c->port;

    if (same)
        return 0;
    (void)err_set(e, ERR_UNREACHABLE, "its forward leads to a server other than %s", s->plan.endpoint);
    return err_hint_sh(e, "broker stop %s", f->name);
}

static void dial_forward(const struct forward *f, struct connection *c)
{
    c->host = f->socket ? NULL : forward_host(f);
    c->socket = f->socket;
    c->port = f->socket ? c->port : f->port;
    if (!f->makes_tls)
        return;
    /* The keeper has verified the server, so the client may accept a public key through it. */
    c->tls = TLS_DISABLED;
    c->server_public_key = true;
}

static int no_injection(const struct session *s, struct err *e)
{
    (void)err_set(e, ERR_UNREACHABLE, "no forward --inject is running for it");
    if (s->profile.name)
        return err_hint_sh(e, "broker forward %s --inject --detach", s->profile.name);
    return err_hint(e, "broker forward --inject --detach, with the same options");
}

/* Looks for the profile's running forward. It must lead to the profile's server and, with `inject`, log in
 * itself. Returns 1 if found, 0 if not, -1 on error. */
static int look(const struct session *s, bool inject, struct forward *out, struct err *e)
{
    int found = forward_find(forward_name(s), out, e);

    if (found <= 0)
        return found;
    if (check_leads_there(s, out, e) < 0)
        return -1;
    return !inject || out->logs_in;
}

/* Chooses the server's own address or a forward. With a tunnel only a forward works. Without one, a forward
 * is used if it logs in, so that the server's password is not disclosed. */
static int choose_place(const struct session *s, const struct params_wanted *want, struct params *out,
                        struct err *e)
{
    bool tunnelled = profile_is_tunnelled(&s->profile), needed = tunnelled || want->inject;
    struct err ignored = ERR_INIT;

    if (want->endpoint)
        return 0;
    int found = look(s, want->inject || !tunnelled, &out->forward, needed ? e : &ignored);
    if (found > 0)
        dial_forward(&out->forward, &out->conn);
    else
        forward_release(&out->forward);
    if (found > 0 || !needed)
        return 0;
    return found < 0 ? -1 : want->inject ? no_injection(s, e) : no_forward(s, e);
}

/* Checks that the name to connect to is the one that the program will verify in the certificate. */
static int check_name(const struct session *s, const struct params *p, struct err *e)
{
    const struct connection *c = &p->conn;

    if (c->tls != TLS_VERIFY_IDENTITY || text_equal_nocase(c->host, s->plan.tls_name))
        return 0;
    (void)err_set(e, ERR_UNREACHABLE, "tls = verify-identity, but %s is not the server's name",
                  c->host ? c->host : "a socket");
    if (!s->profile.name)
        return err_hint(e, "broker forward --terminate-tls --detach, with the same options");
    if (p->forward.name)
        return err_hint_sh(e, "broker stop %s && broker forward %s --terminate-tls --detach", s->profile.name,
                           s->profile.name);
    return err_hint_sh(e, "broker exec %s -- COMMAND", s->profile.name);
}

/* Uses the user and password of a forward that logs in; they are valid only there. */
static int take_run(const struct params_wanted *want, struct params *out)
{
    out->conn.user = out->forward.user;
    out->conn.password = want->no_password ? NULL : out->forward.password;
    out->conn.cleartext = false;
    return 0;
}

int session_params(struct session *s, const struct params_wanted *want, struct params *out, struct err *e)
{
    out->endpoint = out->conn = s->plan.conn;
    if (choose_place(s, want, out, e) < 0)
        return -1;
    connection_by_tcp(&out->conn);
    if (out->forward.logs_in)
        return take_run(want, out);
    if (want->says_tls && check_name(s, out, e) < 0)
        return -1;
    if (text_equal(profile_str(&s->profile, KEY_auth), "iam"))
        out->conn.cleartext = true;
    if (want->no_password)
        return 0;
    if (session_login(s, e) < 0)
        return -1;
    if (s->credential.user)
        out->conn.user = s->credential.user;
    out->conn.password = s->credential.password;
    out->conn.cleartext = out->conn.cleartext || s->credential.cleartext;
    out->conn.expires_at = s->credential.expires_at;
    return 0;
}
