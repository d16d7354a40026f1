/*
 * What is changed on the way: the greeting says that the server has no TLS, so that the client asks for none;
 * the client's own first 32 bytes with that flag set are our request for TLS (with other flags MariaDB keeps
 * wrong capabilities); from then on the server's sequence numbers are one ahead; a client that would encrypt
 * its password for the server gets a key of ours (sha2_key.h). Nothing else: which plug-ins the two talk
 * about, and how often, is theirs. Each direction is read by itself, so that one that says two things in a
 * row never waits.
 */
#include "mysql.h"

#include <string.h>

#include <base/text.h>

#include "keeper.h"
#include "packet.h"
#include "sha2_key.h"

#define CLIENT_SSL 0x0800u
#define CLIENT_PROTOCOL_41 0x0200u
#define SSL_REQUEST 32
enum { IS_OK = 0x00, MORE_DATA = 0x01, NEXT_FACTOR = 0x02, PROTOCOL = 0x0a, SWITCH = 0xfe, IS_ERR = 0xff };

void mysql_init(struct mysql *m, enum keeper_end kind)
{
    *m = (struct mysql){.kind = kind};
    m->client.in = m->server.in = (struct buf)BUF_INIT(LOGIN_PACKET_MAX + PACKET_HEADER + LOGIN_CHUNK_MAX);
    m->client.out = m->server.out = (struct buf)BUF_INIT(LOGIN_OUT_MAX);
}

void mysql_release(struct mysql *m)
{
    buf_release(&m->client.in);
    buf_release(&m->client.out);
    buf_release(&m->server.in);
    buf_release(&m->server.out);
    explicit_bzero(m->scramble, sizeof m->scramble);
}

static enum mysql_step step_of(const struct mysql *m)
{
    static const enum mysql_step steps[] = {
        [STAGE_TLS] = MYSQL_TLS, [STAGE_COPY] = MYSQL_COPY, [STAGE_OVER] = MYSQL_OVER};

    return steps[m->stage];
}

enum mysql_step mysql_fail(struct mysql *m, const struct err *e)
{
    if (m->stage == STAGE_OVER)
        return MYSQL_OVER;
    m->stage = STAGE_OVER;
    err_copy(&m->failed, e);
    packet_put_error(&m->client.out, m->next, e);
    return MYSQL_OVER;
}

/* About the server: its name goes between the number and the words. */
static void fail_server(struct mysql *m, enum err_code code, unsigned number, const char *words,
                        const char *hint)
{
    struct err e = ERR_INIT;

    (void)err_set(&e, code, "%u %s: %s", number, options_endpoint(), words);
    (void)err_hint(&e, "%s", hint);
    (void)mysql_fail(m, &e);
}

/* About the client. */
static void fail_client(struct mysql *m, unsigned number, const char *words, const char *hint)
{
    struct err e = ERR_INIT;

    (void)err_set(&e, ERR_CONFIG, "%u %s", number, words);
    (void)err_hint(&e, "%s", hint);
    (void)mysql_fail(m, &e);
}

static void fail_foreign(struct mysql *m)
{
    fail_server(m, ERR_PROTOCOL, 2007, "that is no MySQL server", "check host and port");
}

static void fail_too_much(struct mysql *m)
{
    fail_server(m, ERR_PROTOCOL, 2020, "a packet of the log-in has over 1 MiB",
                "check that it is a MySQL server");
}

/* All that is there, and from now on everything, goes through as it is. */
static void copy_on(struct mysql *m)
{
    m->stage = STAGE_COPY;
    buf_add(&m->client.out, m->server.in.data, m->server.in.len);
    buf_add(&m->server.out, m->client.in.data, m->client.in.len);
    buf_clear(&m->server.in);
    buf_clear(&m->client.in);
}

static bool is_type(const struct packet *p, uint8_t type)
{
    return p->len > 0 && p->body[0] == type;
}

/* As far as it goes: a plug-in's data may be none of these. */
static void scramble_set(struct mysql *m, size_t at, const uint8_t *bytes, size_t n)
{
    size_t room = sizeof m->scramble - at;

    memcpy(m->scramble + at, bytes, n < room ? n : room);
}

/*
 * Protocol 10: version NUL, thread 4, scramble 8, 0, capabilities 2 (low), charset 1, status 2, capabilities
 * 2 (high), length of the scramble 1, reserved 10 (MariaDB: 6 and its own capabilities), scramble 13 or more,
 * plug-in NUL. Gives where the low capabilities are; 0: it is no such greeting.
 */
static size_t greeting_capabilities(const struct packet *p)
{
    const uint8_t *nul = p->len ? memchr(p->body, '\0', p->len) : NULL;
    size_t at = nul ? (size_t)(nul - p->body) + 1 + 4 + 8 + 1 : 0;

    return at && is_type(p, PROTOCOL) && at + 2 + 1 + 2 + 2 + 1 + 10 <= p->len ? at : 0;
}

/* Below `required` another end is there, and the level is no remedy. */
static const char *hint_without_tls(void)
{
    for (unsigned i = 0; i < opt.ends; i++) {
        if (opt.end[i].kind == KEEPER_END_BYTES)
            return "{host} and {port} instead of {socket} connect without it: anybody on the way can read "
                   "and change what is sent";
    }
    return "tls = preferred connects without it: anybody on the way can read and change what is sent";
}

static void greeting_read(struct mysql *m, struct packet *p)
{
    size_t at = greeting_capabilities(p), second = at + 18;

    if (is_type(p, IS_ERR)) {
        copy_on(m);
        return;
    }
    if (!at || p->sequence != 0) {
        fail_foreign(m);
        return;
    }
    if (!(p->body[at + 1] & (CLIENT_SSL >> 8))) {
        fail_server(m, ERR_UNREACHABLE, 2026, "the server has no TLS", hint_without_tls());
        return;
    }
    p->body[at + 1] &= (uint8_t) ~(CLIENT_SSL >> 8);
    scramble_set(m, 0, p->body + at - 9, 8);
    scramble_set(m, 8, p->body + second, p->len - second);
    buf_add(&m->client.out, p->head, PACKET_HEADER + p->len);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    /* Behind the client's answer: it reads nothing before. */
    m->next = 2;
    m->stage = STAGE_ANSWER;
}

/* A plug-in's name NUL its data: of a switch or of the next factor. */
static void plugin_read(struct mysql *m, const struct packet *p)
{
    const char *name = (const char *)p->body + 1;
    const uint8_t *nul = memchr(p->body, '\0', p->len);

    if (!nul)
        return;
    scramble_set(m, 0, nul + 1, p->len - (size_t)(nul + 1 - p->body));
    m->asks_by = text_equal(name, "sha256_password") ? SHA256_PASSWORD_ASKS : 0;
}

static void login_from_server(struct mysql *m, struct packet *p)
{
    m->asks_by = 0;
    if (is_type(p, SWITCH) || is_type(p, NEXT_FACTOR))
        plugin_read(m, p);
    /* Only caching_sha2_password says that: all of the password. */
    if (p->len == 2 && p->body[0] == MORE_DATA && p->body[1] == 4)
        m->asks_by = CACHING_SHA2_ASKS;
    p->head[3] = (uint8_t)(p->sequence - m->ahead);
    m->next = (uint8_t)(p->head[3] + 1);
    if (is_type(p, IS_OK) || is_type(p, IS_ERR)) {
        copy_on(m);
        return;
    }
    buf_add(&m->client.out, p->head, PACKET_HEADER + p->len);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
}

/* One packet, if there is a whole one that may be taken: between greeting and TLS only an error, with which
 * the server ends. */
static bool server_next(struct mysql *m)
{
    struct packet p;
    int whole = m->stage == STAGE_TLS ? 0 : packet_first(&m->server.in, LOGIN_PACKET_MAX, &p);

    if (m->stage == STAGE_ANSWER && (whole <= 0 || !is_type(&p, IS_ERR)))
        return false;
    if (whole < 0 && m->stage == STAGE_GREETING)
        fail_foreign(m);
    else if (whole < 0)
        fail_too_much(m);
    else if (whole && m->stage == STAGE_ANSWER)
        copy_on(m);
    else if (whole && m->stage == STAGE_GREETING)
        greeting_read(m, &p);
    else if (whole)
        login_from_server(m, &p);
    return whole != 0;
}

static uint32_t capabilities(const struct packet *p)
{
    return p->len < 4 ? 0
                      : (uint32_t)p->body[0] | (uint32_t)p->body[1] << 8 | (uint32_t)p->body[2] << 16 |
                            (uint32_t)p->body[3] << 24;
}

/* It stays where it is until TLS is made. */
static void answer_read(struct mysql *m, struct packet *p)
{
    uint32_t has = capabilities(p);

    m->next = (uint8_t)(p->sequence + 1);
    if (p->len < SSL_REQUEST || !(has & CLIENT_PROTOCOL_41)) {
        fail_client(m, 2007, "the client is too old for this end", "a client of MySQL 4.1 or later");
    } else if (p->len == SSL_REQUEST && has & CLIENT_SSL) {
        fail_client(m, 2026, "TLS to the server is made at this end, which takes none itself",
                    "set the client's ssl mode to disabled here");
    } else if (m->server.in.len) {
        /* Somebody in between would speak for the server. */
        fail_server(m, ERR_PROTOCOL, 2027, "something spoke before TLS was made",
                    "somebody on the way may have: try another way to the server");
    } else {
        p->body[1] |= (uint8_t)(CLIENT_SSL >> 8);
        packet_put(&m->server.out, p->sequence, p->body, SSL_REQUEST);
        m->stage = STAGE_TLS;
    }
}

enum mysql_step mysql_tls_made(struct mysql *m)
{
    struct packet p;

    if (m->stage != STAGE_TLS || packet_first(&m->client.in, LOGIN_PACKET_MAX, &p) != 1)
        return step_of(m);
    m->ahead = 1;
    m->stage = STAGE_LOGIN;
    packet_put(&m->server.out, (uint8_t)(p.sequence + m->ahead), p.body, p.len);
    packet_drop(&m->client.in, PACKET_HEADER + p.len);
    return step_of(m);
}

/* The server, which has TLS, wants the password as it is; a client without sends none so, but encrypts it for
 * a key that it asks for. */
static void give_key(struct mysql *m, const struct packet *p)
{
    AUTO_BUF(body, 4096);
    struct err e = ERR_INIT;

    buf_putc(&body, MORE_DATA);
    if (sha2_key_public(&body, &e) < 0) {
        (void)mysql_fail(m, &e);
        return;
    }
    packet_put(&m->client.out, m->next, body.data, body.len);
    m->next = (uint8_t)(p->sequence + 2);
    m->ahead = (uint8_t)(m->ahead - 2);
    m->gave_key = true;
}

static void take_password(struct mysql *m, const struct packet *p)
{
    AUTO_BUF(password, SHA2_KEY_PASSWORD_MAX);
    struct err e = ERR_INIT;

    m->gave_key = false;
    if (sha2_key_decrypt(p->body, p->len, m->scramble, sizeof m->scramble, &password, &e) < 0)
        (void)mysql_fail(m, &e);
    else
        packet_put(&m->server.out, (uint8_t)(p->sequence + m->ahead), password.data, password.len);
}

static void login_from_client(struct mysql *m, struct packet *p)
{
    bool asks = m->asks_by && p->len == 1 && p->body[0] == m->asks_by;

    m->asks_by = 0;
    m->next = (uint8_t)(p->sequence + 1);
    if (m->gave_key)
        take_password(m, p);
    else if (asks)
        give_key(m, p);
    else
        packet_put(&m->server.out, (uint8_t)(p->sequence + m->ahead), p->body, p->len);
    packet_drop(&m->client.in, PACKET_HEADER + p->len);
}

static bool client_next(struct mysql *m)
{
    struct packet p;
    int whole = m->stage == STAGE_ANSWER || m->stage == STAGE_LOGIN
                    ? packet_first(&m->client.in, LOGIN_PACKET_MAX, &p)
                    : 0;

    /* A command sent ahead of the log-in's end (MariaDB's Java client can): it is not renumbered. */
    if (m->stage == STAGE_LOGIN && m->client.in.len >= PACKET_HEADER && p.sequence == 0)
        return false;
    if (whole < 0)
        fail_too_much(m);
    else if (whole && m->stage == STAGE_ANSWER)
        answer_read(m, &p);
    else if (whole)
        login_from_client(m, &p);
    return whole != 0;
}

/* The client's first packet decides; the server's side is not looked at. */
static bool guard_next(struct mysql *m)
{
    struct packet p;

    if (m->server.in.len) {
        buf_add(&m->client.out, m->server.in.data, m->server.in.len);
        buf_clear(&m->server.in);
        m->stage = STAGE_ANSWER;
    }
    if (m->client.in.len < PACKET_HEADER)
        return false;
    int whole = packet_first(&m->client.in, LOGIN_PACKET_MAX, &p);
    m->next = (uint8_t)(p.sequence + 1);
    if (p.len == SSL_REQUEST && !whole)
        return false;
    if (p.len == SSL_REQUEST && capabilities(&p) & CLIENT_SSL)
        copy_on(m);
    else
        fail_client(m, 2026, "this end passes TLS on and wants it",
                    "ask for TLS, or use the unix socket, where it is made for you");
    return false;
}

static enum mysql_step go_on(struct mysql *m)
{
    bool moved = true;

    if (m->kind == KEEPER_END_GUARDED)
        moved = guard_next(m);
    while (moved && m->stage < STAGE_COPY) {
        moved = server_next(m);
        if (m->stage < STAGE_COPY && client_next(m))
            moved = true;
    }
    if (!buf_ok(&m->client.in) || !buf_ok(&m->server.in) || !buf_ok(&m->client.out) ||
        !buf_ok(&m->server.out))
        fail_too_much(m);
    return step_of(m);
}

static enum mysql_step take(struct mysql *m, struct mysql_side *from, struct mysql_side *to,
                            const char *bytes, size_t n)
{
    if (m->stage == STAGE_OVER)
        return MYSQL_OVER;
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
