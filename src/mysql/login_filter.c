/* SPDX-License-Identifier: MIT */
/*
 * The login is a table, `rules`: which packet may arrive at which stage, and the action for it. Anything else
 * is a protocol error, which ends both sides. Before TLS an attacker on the network can impersonate the
 * server (CVE-2015-3152, CVE-2017-3305): the server may greet once, and may end with an error, of which the
 * client gets our own version; nothing from the client is sent except our TLS request (`request`). Data
 * received in cleartext is never treated as received through TLS (CVE-2011-0411).
 *
 * These changes are made: the greeting says that the server does not support TLS, so that the client does not
 * ask for it; our TLS request has the client's own capabilities with the TLS flag set (MariaDB would store
 * other ones); from then on the server's sequence numbers are one ahead; a client that wants to encrypt its
 * password for the server gets a key of ours (sha2_key.h). Nothing else is changed: plug-ins and their data
 * are passed on. Each direction is read independently, so that a side that sends two packets in a row never
 * blocks.
 */
#include "login_filter.h"

#include <string.h>

#include <base/mem.h>

#include "login_action.h"
#include "login_inject.h"
#include "login_packet.h"
#include "packet.h"

void mysql_init(struct mysql *m, const struct login_options *options)
{
    *m = (struct mysql){.options = options, .stage = STAGE_GREETING};
    m->client.in = m->server.in = (struct buf)BUF_INIT(LOGIN_PACKET_MAX + PACKET_HEADER + LOGIN_CHUNK_MAX);
    m->client.out = m->server.out = (struct buf)BUF_INIT(LOGIN_OUT_MAX);
    m->request = (struct buf)BUF_INIT(PACKET_HEADER + SSL_REQUEST);
}

void mysql_release(struct mysql *m)
{
    buf_release(&m->client.in);
    buf_release(&m->client.out);
    buf_release(&m->server.in);
    buf_release(&m->server.out);
    buf_release(&m->request);
    explicit_bzero(m->scramble, sizeof m->scramble);
    inject_free(m->inject);
    m->inject = NULL;
}

void mysql_inject(struct mysql *m, struct login_credential *as, const struct secret *client_password)
{
    m->inject = inject_new(as, client_password);
}

bool mysql_proved(const struct mysql *m)
{
    return m->inject && m->inject->proved;
}

static enum mysql_step step_of(const struct mysql *m)
{
    static const enum mysql_step steps[] = {
        [STAGE_TLS] = MYSQL_TLS,
        [STAGE_REFUSED] = MYSQL_REFUSED,
        [STAGE_COPY] = MYSQL_COPY,
        [STAGE_OVER] = MYSQL_OVER,
    };

    return steps[m->stage];
}

static bool not_yet(struct mysql *m, struct packet *p)
{
    (void)m;
    (void)p;
    return false;
}

/* Each row: the stage, the packet, and the action. An action returns true to examine the next packet. */
static const struct rule {
    enum mysql_stage stage;
    enum mysql_said said;
    mysql_act *act;
} rules[] = {
    /* Before TLS. */
    {STAGE_GREETING, SERVER_GREETING, act_greet},
    {STAGE_GREETING, SERVER_GREETING_NO_TLS, act_refuse_without_tls},
    {STAGE_GREETING, SERVER_ERROR, act_retell_error},
    {STAGE_GREETING, CLIENT_NOT_YET, not_yet},
    {STAGE_ANSWER, SERVER_ERROR, act_retell_error},
    {STAGE_ANSWER, CLIENT_ANSWER, act_ask_for_tls},
    {STAGE_ANSWER, CLIENT_ASKS_TLS, act_refuse_tls},
    {STAGE_ANSWER, CLIENT_OLD, act_refuse_old},
    {STAGE_TLS, CLIENT_NOT_YET, not_yet},
    /* After TLS was set up. */
    {STAGE_LOGIN, SERVER_OK, act_admit},
    {STAGE_LOGIN, SERVER_ERROR, act_refuse},
    {STAGE_LOGIN, SERVER_SWITCH, act_pass_switch},
    {STAGE_LOGIN, SERVER_FACTOR, act_pass_switch},
    {STAGE_LOGIN, SERVER_FAST_OK, act_pass},
    {STAGE_LOGIN, SERVER_WANTS_ALL, act_pass_wish},
    {STAGE_LOGIN, SERVER_PLUGIN, act_pass},
    {STAGE_LOGIN, SERVER_OTHER, act_pass},
    {STAGE_LOGIN, CLIENT_WORD, act_take_word},
    {STAGE_LOGIN, CLIENT_ASKS_KEY, act_give_key},
    {STAGE_LOGIN, CLIENT_PASSWORD, act_take_password},
    {STAGE_LOGIN, CLIENT_AHEAD, not_yet}, /* sent early by MariaDB's Java client; not renumbered */
};

static mysql_act *rule_find(enum mysql_stage stage, enum mysql_said said)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].stage == stage && rules[i].said == said)
            return rules[i].act;
    }
    return NULL;
}

static bool obey(struct mysql *m, enum mysql_said said, struct packet *p)
{
    mysql_act *act = m->inject ? inject_rule(m->stage, said) : rule_find(m->stage, said);

    if (act)
        return act(m, p);
    if (said == CLIENT_TOO_LONG || (said == SERVER_TOO_LONG && m->stage >= STAGE_LOGIN))
        mysql_fail_too_much(m);
    else
        mysql_fail_unlisted(m, said);
    return false;
}

/* Returns true if a packet was processed. */
static bool server_next(struct mysql *m)
{
    struct packet p;
    bool greets = m->stage == STAGE_GREETING || m->stage == STAGE_AGAIN;
    size_t most = m->stage < STAGE_LOGIN || m->without_tls ? PLAIN_PACKET_MAX : LOGIN_PACKET_MAX;
    int whole = packet_first(&m->server.in, most, &p);

    /* Once the server has sent anything more, it is not waiting for an answer to its greeting. */
    if (m->inject && inject_asks_client(m->stage) && m->server.in.len)
        m->inject->unanswered = false;
    if (whole == 0)
        return false;
    enum mysql_said said = whole < 0 ? SERVER_TOO_LONG : said_by_server(&p, greets);
    return obey(m, m->inject ? inject_said_by_server(m, said, &p) : said, &p);
}

static enum mysql_said said_by_client(const struct mysql *m, const struct packet *p)
{
    if (m->stage == STAGE_ANSWER)
        return said_in_answer(p);
    if (m->inject)
        return inject_said_by_client(m, p);
    if (m->gave_key)
        return CLIENT_PASSWORD;
    return m->asks_by && p->len == 1 && p->body[0] == m->asks_by ? CLIENT_ASKS_KEY : CLIENT_WORD;
}

static bool client_next(struct mysql *m)
{
    struct packet p = {.len = 0};

    if (m->inject && !inject_asks_client(m->stage))
        return false;
    if (m->stage != STAGE_ANSWER && m->stage != STAGE_PROOF && m->stage != STAGE_LOGIN)
        return obey(m, CLIENT_NOT_YET, &p);
    int whole = packet_first(&m->client.in, LOGIN_PACKET_MAX, &p);
    if (m->client.in.len < PACKET_HEADER)
        return false;
    if (m->stage == STAGE_LOGIN && p.sequence == 0)
        return obey(m, CLIENT_AHEAD, &p);
    if (whole == 0)
        return false;
    return obey(m, whole < 0 ? CLIENT_TOO_LONG : said_by_client(m, &p), &p);
}

static enum mysql_step go_on(struct mysql *m)
{
    bool moved = true;

    while (moved && m->stage < STAGE_COPY) {
        moved = server_next(m);
        if (m->stage < STAGE_COPY && client_next(m))
            moved = true;
    }
    if (!buf_ok(&m->client.in) || !buf_ok(&m->server.in) || !buf_ok(&m->client.out) ||
        !buf_ok(&m->server.out))
        mysql_fail_too_much(m);
    return step_of(m);
}

static enum mysql_step take(struct mysql *m, struct mysql_side *from, struct mysql_side *to,
                            const char *bytes, size_t n)
{
    if (m->stage == STAGE_OVER || (m->stage == STAGE_REFUSED && from == &m->server))
        return step_of(m);
    if (m->stage == STAGE_COPY) {
        buf_add(&to->out, bytes, n);
        return MYSQL_COPY;
    }
    buf_add(&from->in, bytes, n);
    return go_on(m);
}

enum mysql_step mysql_from_server(struct mysql *m, const char *bytes, size_t n)
{
    return take(m, &m->server, &m->client, bytes, n);
}

enum mysql_step mysql_from_client(struct mysql *m, const char *bytes, size_t n)
{
    return take(m, &m->client, &m->server, bytes, n);
}

enum mysql_step mysql_tls_made(struct mysql *m)
{
    struct packet p;

    if (m->stage != STAGE_TLS)
        return step_of(m);
    if (m->inject && !m->server.in.len && !m->request.len) {
        inject_answer(m);
        return step_of(m);
    }
    if (m->server.in.len || m->request.len || packet_first(&m->client.in, LOGIN_PACKET_MAX, &p) != 1) {
        mysql_fail_unlisted(m, SERVER_OTHER);
        return step_of(m);
    }
    m->stage = STAGE_LOGIN;
    m->ahead = 1;
    packet_put(&m->server.out, (uint8_t)(p.sequence + m->ahead), p.body, p.len);
    packet_drop(&m->client.in, PACKET_HEADER + p.len);
    return step_of(m);
}

enum mysql_step mysql_retry(struct mysql *m, struct login_credential *as)
{
    if (m->stage == STAGE_REFUSED)
        inject_again(m, as);
    return step_of(m);
}

enum mysql_step mysql_tell(struct mysql *m, const struct err *e)
{
    if (m->stage == STAGE_REFUSED && e)
        return mysql_fail(m, e);
    if (m->stage == STAGE_REFUSED)
        inject_pass_refusal(m);
    return step_of(m);
}
