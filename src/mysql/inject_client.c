/* SPDX-License-Identifier: MIT */
/*
 * The keeper logs in: its conversation with the client, in which it acts as a server. It sends the server's
 * own greeting, because the client uses its capabilities, version and thread number (for KILL), but with a
 * scramble of the keeper's. So the client's answer would be useless at the server.
 */
#include "login_inject.h"

#include <sodium.h>
#include <string.h>

bool act_greet_ours(struct mysql *m, struct packet *p)
{
    struct inject *i = m->inject;
    AUTO_BUF(body, 2 * PLAIN_PACKET_MAX);

    if (!greeting_read(p, &i->server)) {
        mysql_fail_server(m, ERR_PROTOCOL, 2007, "the server is older than MySQL 4.1", "login = client");
        return false;
    }
    bool names = i->server.flags & CLIENT_PLUGIN_AUTH;
    const struct auth_method *named = names ? auth_find(i->server.plugin) : NULL;
    i->greeted_by =
        named && named->greets ? named : auth_find(names ? "caching_sha2_password" : "mysql_native_password");
    m->without_tls = !inject_wants_tls(m, i->server.flags & CLIENT_SSL);
    greeting_put(&body, p, i->scramble, i->greeted_by->name);
    packet_put(&m->client.out, p->sequence, body.data, body.len);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    i->unanswered = true;
    m->next = 2;
    m->stage = STAGE_ANSWER;
    return true;
}

bool act_greet_plain(struct mysql *m, struct packet *p)
{
    return inject_wants_tls(m, false) ? act_refuse_without_tls(m, p) : act_greet_ours(m, p);
}

/* Not logged as an error: any process that can connect can cause this, as often as it likes. */
static void deny(struct mysql *m)
{
    mysql_end(m);
    packet_put_denied(&m->client.out, m->next,
                      "broker: the password of this run is needed\n"
                      "hint: exec gives it to the program that it starts, as {password}; forward and params "
                      "print it");
}

static bool is_empty(struct span auth)
{
    return auth.n == 0 || (auth.n == 1 && auth.at[0] == '\0');
}

static bool proves(const struct inject *i, const struct auth_method *method, struct span auth)
{
    struct auth own = {.password = i->client_password};
    struct err e = ERR_INIT;
    AUTO_BUF(right, 64);

    if (!i->client_password)
        return true;
    memcpy(own.scramble, i->scramble, sizeof i->scramble);
    (void)method->answer(&own, &right, &e);
    return right.len > 0 && auth.n == right.len && sodium_memcmp(auth.at, right.data, right.len) == 0;
}

static void check(struct mysql *m, const struct auth_method *method, struct span auth)
{
    struct inject *i = m->inject;

    if (!proves(i, method, auth)) {
        deny(m);
        return;
    }
    i->proved = true;
    i->wants_fast = method == auth_find("caching_sha2_password") && !is_empty(auth);
    inject_go_on(m);
}

/* Asks the client, once, to answer with another plug-in. */
static void ask_switch(struct mysql *m, const struct auth_method *method)
{
    AUTO_BUF(body, 128);

    buf_putc(&body, (char)SWITCH);
    buf_add(&body, method->name, strlen(method->name) + 1);
    buf_add(&body, m->inject->scramble, sizeof m->inject->scramble);
    buf_putc(&body, '\0');
    packet_put(&m->client.out, m->next, body.data, body.len);
    m->inject->asked_for = method;
    m->next = (uint8_t)(m->next + 2);
    m->stage = STAGE_PROOF;
}

/* Returns the method of the client's answer, or NULL if it is not supported. A client that names no method
 * uses the oldest one. */
static const struct auth_method *answered_by(const struct answer *a)
{
    char name[PLUGIN_NAME_MAX + 1] = "mysql_native_password";

    if (a->flags & CLIENT_PLUGIN_AUTH) {
        if (a->plugin.n >= sizeof name)
            return NULL;
        memcpy(name, a->plugin.at, a->plugin.n);
        name[a->plugin.n] = '\0';
    }
    const struct auth_method *method = auth_find(name);
    return method && method->greets ? method : NULL;
}

/* MariaDB's clients set flags that the server does not have, but format the answer by the server's flags
 * alone. */
static void drop_layout(struct inject *i)
{
    uint32_t layout = CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH | CLIENT_LENENC_AUTH |
                      CLIENT_CONNECT_ATTRS | CLIENT_ZSTD;
    uint32_t unknown = layout & ~i->server.flags;

    for (size_t k = 0; k < sizeof unknown && k < i->kept.len; k++)
        i->kept.data[k] = (char)((uint8_t)i->kept.data[k] & ~(unknown >> (8 * k)));
}

/* A client that prefers another plug-in than the greeting's sends an empty answer and expects to be asked
 * again. */
bool act_check_answer(struct mysql *m, struct packet *p)
{
    struct inject *i = m->inject;

    m->next = (uint8_t)(p->sequence + 1);
    buf_add(&i->kept, p->body, p->len);
    packet_drop(&m->client.in, PACKET_HEADER + p->len);
    drop_layout(i);
    if (!answer_read((const uint8_t *)i->kept.data, i->kept.len, &i->client)) {
        mysql_fail_client(m, 1043, "the client's answer to the greeting is malformed",
                          "check that it is a MySQL client, and its version");
        return false;
    }
    if (i->client.flags & CLIENT_SSL)
        return act_refuse_tls(m, p);
    const struct auth_method *method = answered_by(&i->client);
    if (!method)
        ask_switch(m, auth_find("caching_sha2_password"));
    else if (i->client.flags & CLIENT_PLUGIN_AUTH && is_empty(i->client.auth) && method != i->greeted_by)
        ask_switch(m, method);
    else
        check(m, method, i->client.auth);
    return true;
}

bool act_check_word(struct mysql *m, struct packet *p)
{
    struct span word = {p->body, p->len};

    check(m, m->inject->asked_for, word);
    if (m->stage != STAGE_OVER)
        packet_drop(&m->client.in, PACKET_HEADER + p->len);
    return true;
}

bool act_refuse_word(struct mysql *m, struct packet *p)
{
    (void)p;
    deny(m);
    return false;
}
