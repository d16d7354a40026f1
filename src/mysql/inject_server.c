/* SPDX-License-Identifier: MIT */
/*
 * The keeper logs in: its conversation with the server, in which it acts as a client. It repeats what the
 * client of this connection said (capabilities, character set, database, attributes), but the user, the
 * password and the method are the keeper's.
 */
#include "login_inject.h"

#include <string.h>

#include <ipc/keeper.h>

#include "ok_packet.h"

/* Flags that mean the same for every server and do not change the format of packets: the client's own are
 * used, even if a proxy in front of the server does not list them. CLIENT_MYSQL tells what is in the reserved
 * bytes. */
#define AS_CLIENT                                                                                            \
    (CLIENT_MYSQL | CLIENT_FOUND_ROWS | CLIENT_ODBC | CLIENT_IGNORE_SPACE | CLIENT_INTERACTIVE |             \
     CLIENT_IGNORE_SIGPIPE | CLIENT_CONNECT_WITH_DB)
/* Flags that the keeper sets if the server has them. */
#define AS_SERVER (CLIENT_PLUGIN_AUTH | CLIENT_LENENC_AUTH | CLIENT_CONNECT_ATTRS)
/* Flags that are not used after the login. */
#define OF_LOGIN (AS_CLIENT | AS_SERVER | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_SSL)

#define OWN_ATTRIBUTES "_broker_"

#define ERROR_ACCESS_DENIED_NO_PASSWORD 1698

static void put_attribute(struct buf *out, const char *name, const char *value)
{
    lenenc_put(out, name, strlen(name));
    lenenc_put(out, value, strlen(value));
}

/* Lets the server's administrator see which profile a session belongs to (performance_schema). The client's
 * own attributes with that name are dropped. */
static void put_attributes(const struct mysql *m, struct buf *out)
{
    AUTO_BUF(own, 4096);

    if (m->options->profile)
        put_attribute(&own, OWN_ATTRIBUTES "profile", m->options->profile);
    put_attribute(&own, OWN_ATTRIBUTES "version", BROKER_VERSION);
    attributes_copy(out, m->inject->client.attributes, OWN_ATTRIBUTES);
    if (buf_ok(&own) && out->len + own.len <= ATTRIBUTES_MAX)
        buf_add(out, own.data, own.len);
}

/* Computes the capabilities that both sides have; the client has seen the server's. */
static void set_flags(struct mysql *m)
{
    struct inject *i = m->inject;
    uint32_t ours = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | (m->without_tls ? 0 : CLIENT_SSL);

    i->flags = (i->client.flags & (i->server.flags | AS_CLIENT)) | (i->server.flags & AS_SERVER) | ours;
    if (!m->options->local_infile)
        i->flags &= ~CLIENT_LOCAL_FILES;
    i->extended = i->client.extended & i->server.extended;
}

bool inject_wants_tls(const struct mysql *m, bool offered)
{
    const struct login_options *o = m->options;

    if (o->own_socket || o->tls->level == KEEPER_TLS_NONE)
        return false;
    return offered || o->tls->level > KEEPER_TLS_OFFERED;
}

void inject_go_on(struct mysql *m)
{
    struct inject *i = m->inject;
    struct answer a = i->client;
    AUTO_BUF(body, LOGIN_PACKET_MAX);

    if (m->server.in.len) {
        mysql_fail_unlisted(m, SERVER_OTHER);
        return;
    }
    i->unanswered = false;
    set_flags(m);
    if (m->without_tls) {
        inject_answer(m);
        return;
    }
    a.flags = i->flags;
    a.extended = i->extended;
    answer_put(&body, &a);
    packet_put(&m->request, 1, body.data, SSL_REQUEST);
    m->stage = STAGE_TLS;
}

void inject_empty_login(const struct inject *i, struct buf *out)
{
    static const char no_user[] = "broker: not logged in";
    struct answer a = {
        .flags = CLIENT_MYSQL | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION |
                 (i->server.flags & CLIENT_PLUGIN_AUTH),
        .user = {(const uint8_t *)no_user, sizeof no_user - 1},
        .plugin = {(const uint8_t *)i->server.plugin, strlen(i->server.plugin)},
    };
    AUTO_BUF(body, 256);

    if (!i->unanswered)
        return;
    answer_put(&body, &a);
    packet_put(out, 1, body.data, body.len);
}

static enum mysql_stage stage_after(enum auth_next next)
{
    static const enum mysql_stage stages[] = {
        [AUTH_DONE] = STAGE_LOGIN, [AUTH_FAST] = STAGE_FAST, [AUTH_LAST] = STAGE_LAST,
        [AUTH_KEY] = STAGE_KEY,    [AUTH_SALT] = STAGE_SALT,
    };

    return stages[next];
}

static void auth_set(struct mysql *m)
{
    struct inject *i = m->inject;
    bool own = m->options->own_socket;

    i->auth = (struct auth){
        .password = i->as->password,
        .closed = own || !m->without_tls,
        .verified = own || (!m->without_tls && m->options->tls->level == KEEPER_TLS_NAME),
        .takes_key = m->options->server_public_key,
    };
    memcpy(i->auth.scramble, i->server.scramble, sizeof i->server.scramble);
}

/* If the greeting names a method that it may not choose, the answer is empty: then the server names its own
 * method. */
void inject_answer(struct mysql *m)
{
    struct inject *i = m->inject;
    bool names = i->server.flags & CLIENT_PLUGIN_AUTH;
    const struct auth_method *method = auth_find(names ? i->server.plugin : "mysql_native_password");
    bool chosen = method && method->greets;
    const char *name = chosen ? method->name : "caching_sha2_password";
    uint8_t sequence = m->without_tls ? 1 : 2;
    struct answer a = i->client;
    struct err e = ERR_INIT;
    AUTO_BUF(auth, 64);
    AUTO_BUF(attributes, LOGIN_PACKET_MAX);
    AUTO_BUF(body, LOGIN_PACKET_MAX);

    auth_set(m);
    m->stage = STAGE_NAMED;
    if (chosen) {
        enum auth_next next = method->answer(&i->auth, &auth, &e);
        if (next == AUTH_FAILED) {
            mysql_fail_named(m, &e);
            return;
        }
        m->stage = stage_after(next);
    }
    put_attributes(m, &attributes);
    a.flags = i->flags;
    a.extended = i->extended;
    a.user = (struct span){(const uint8_t *)i->as->user, strlen(i->as->user)};
    a.auth = (struct span){(const uint8_t *)buf_str(&auth), auth.len};
    a.plugin = (struct span){(const uint8_t *)name, strlen(name)};
    a.attributes = (struct span){(const uint8_t *)buf_str(&attributes), attributes.len};
    answer_put(&body, &a);
    if (!buf_ok(&body)) {
        mysql_fail_too_much(m);
        return;
    }
    packet_put(&m->server.out, sequence, body.data, body.len);
    i->expects = (uint8_t)(sequence + 1);
}

/* Sends an answer to the server's packet, and removes that packet. */
static bool reply(struct mysql *m, const struct packet *p, enum auth_next next, const struct buf *body,
                  struct err *e)
{
    if (next == AUTH_FAILED) {
        mysql_fail_named(m, e);
        return false;
    }
    packet_put(&m->server.out, (uint8_t)(p->sequence + 1), body->data, body->len);
    m->inject->expects = (uint8_t)(p->sequence + 2);
    m->stage = stage_after(next);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    return true;
}

/* The name comes from the server, so only characters that a name may have are shown. */
static bool refuse(struct mysql *m, const char *name, const char *what, const char *hint)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    AUTO_BUF(words, 512);

    buf_printf(&words, "%s (%.*s)", what, (int)(n < PLUGIN_NAME_MAX ? n : PLUGIN_NAME_MAX), name);
    mysql_fail_server(m, ERR_REFUSED, 2059, buf_str(&words), hint);
    return false;
}

static bool scramble_take(struct inject *i, const struct packet *p, size_t at)
{
    size_t n = p->len - at, most = i->method->scramble;

    if (most == 0)
        return true;
    if (n != most && !(n == most + 1 && p->body[at + most] == '\0'))
        return false;
    memcpy(i->auth.scramble, p->body + at, most);
    return true;
}

bool act_switch(struct mysql *m, struct packet *p)
{
    struct inject *i = m->inject;
    const char *name = (const char *)p->body + 1;
    struct err e = ERR_INIT;
    AUTO_BUF(body, SECRET_MAX + 1);

    i->method = auth_find(name);
    if (!i->method)
        return refuse(m, name, "the keeper does not support the account's authentication method",
                      "login = client");
    if (!auth_allowed(i->method, &i->auth))
        return refuse(m, name, "the server wants the password in cleartext", "tls = verify-identity");
    if (++i->switches > SWITCHES_MOST || !scramble_take(i, p, 1 + strlen(name) + 1)) {
        mysql_fail_unlisted(m, SERVER_SWITCH);
        return false;
    }
    return reply(m, p, i->method->answer(&i->auth, &body, &e), &body, &e);
}

bool act_fast_ok(struct mysql *m, struct packet *p)
{
    m->inject->expects = (uint8_t)(p->sequence + 1);
    m->stage = STAGE_LAST;
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    return true;
}

bool act_full(struct mysql *m, struct packet *p)
{
    struct err e = ERR_INIT;
    AUTO_BUF(body, SECRET_MAX + 1);

    return reply(m, p, auth_full(&m->inject->auth, &body, &e), &body, &e);
}

static bool answer_more(struct mysql *m, struct packet *p, auth_more *more)
{
    size_t marked = p->len > 0 && p->body[0] == MORE_DATA;
    struct err e = ERR_INIT;
    AUTO_BUF(body, SECRET_MAX + 1);

    return reply(m, p, more(&m->inject->auth, p->body + marked, p->len - marked, &body, &e), &body, &e);
}

bool act_key(struct mysql *m, struct packet *p)
{
    return answer_more(m, p, auth_by_key);
}

bool act_salt(struct mysql *m, struct packet *p)
{
    return answer_more(m, p, auth_by_salt);
}

/* A server that accepts has read all of our answers. */
bool act_admit_ours(struct mysql *m, struct packet *p)
{
    static const char fast_ok[] = {MORE_DATA, FAST_OK};
    AUTO_BUF(body, LOGIN_PACKET_MAX);

    if (m->server.out.len) {
        mysql_fail_unlisted(m, SERVER_OK);
        return false;
    }
    if (m->inject->wants_fast)
        packet_put(&m->client.out, m->next++, fast_ok, sizeof fast_ok);
    ok_without_vouching(&body, p->body, p->len);
    packet_put(&m->client.out, m->next++, body.data, body.len);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    mysql_copy_on(m);
    return false;
}

void inject_pass_refusal(struct mysql *m)
{
    const struct buf *words = &m->inject->refusal;

    mysql_end(m);
    packet_put(&m->client.out, m->next, words->data, words->len);
}

bool act_deny(struct mysql *m, struct packet *p)
{
    const char *text;
    size_t n;
    unsigned number = said_error(p, &text, &n);

    buf_clear(&m->inject->refusal);
    buf_add(&m->inject->refusal, p->body, p->len);
    if (number != ERROR_ACCESS_DENIED && number != ERROR_ACCESS_DENIED_NO_PASSWORD) {
        inject_pass_refusal(m);
        return false;
    }
    buf_clear(&m->server.in);
    buf_clear(&m->server.out);
    m->stage = STAGE_REFUSED;
    return false;
}

bool act_refuse_factor(struct mysql *m, struct packet *p)
{
    return refuse(m, (const char *)p->body + 1, "the account needs a second factor", "login = client");
}

bool act_refuse_method(struct mysql *m, struct packet *p)
{
    (void)p;
    return refuse(m, "mysql_old_password", "the keeper does not support the account's authentication method",
                  "login = client");
}

void inject_again(struct mysql *m, struct login_credential *as)
{
    struct inject *i = m->inject;

    login_credential_hold(as);
    login_credential_drop(i->as);
    i->as = as;
    i->method = NULL;
    i->switches = 0;
    i->auth = (struct auth){0};
    m->without_tls = false;
    m->stage = STAGE_AGAIN;
}

bool act_greet_again(struct mysql *m, struct packet *p)
{
    struct inject *i = m->inject;
    uint32_t promised = i->flags & ~OF_LOGIN, extended = i->extended;

    if (!greeting_read(p, &i->server) || promised & ~i->server.flags || extended & ~i->server.extended) {
        mysql_fail_server(m, ERR_PROTOCOL, 2012, "a different server answers now", "connect again");
        return false;
    }
    bool offers = i->server.flags & CLIENT_SSL;
    if (!offers && inject_wants_tls(m, false))
        return act_refuse_without_tls(m, p);
    m->without_tls = !inject_wants_tls(m, offers);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    inject_go_on(m);
    return true;
}
