/* SPDX-License-Identifier: MIT */
/*
 * The actions for packets of the login, used by the table in login_filter.c, which decides whether a packet
 * is allowed.
 */
#include "login_action.h"

#include <string.h>

#include <base/text.h>
#include <ipc/keeper.h>
#include <mysql/client_error.h>

#include "login_packet.h"
#include "sha2_key.h"

void mysql_end(struct mysql *m)
{
    m->stage = STAGE_OVER;
    buf_clear(&m->server.in);
    buf_clear(&m->server.out);
    buf_clear(&m->client.in);
    buf_clear(&m->request);
}

enum mysql_step mysql_fail(struct mysql *m, const struct err *e)
{
    if (m->stage == STAGE_OVER)
        return MYSQL_OVER;
    mysql_end(m);
    err_copy(&m->failed, e);
    told_put(&m->client.out, m->next, e);
    return MYSQL_OVER;
}

void mysql_fail_server(struct mysql *m, enum err_code code, unsigned number, const char *words,
                       const char *hint)
{
    struct err e = ERR_INIT;

    (void)err_set_numbered(&e, code, number, "%s", words);
    (void)err_hint(&e, "%s", hint);
    mysql_fail_named(m, &e);
}

void mysql_fail_named(struct mysql *m, struct err *e)
{
    (void)err_prefix(e, "%s", m->options->server);
    (void)mysql_fail(m, e);
}

void mysql_fail_client(struct mysql *m, unsigned number, const char *words, const char *hint)
{
    struct err e = ERR_INIT;

    (void)err_set_numbered(&e, ERR_CONFIG, number, "%s", words);
    (void)err_hint(&e, "%s", hint);
    (void)mysql_fail(m, &e);
}

void mysql_fail_unlisted(struct mysql *m, enum mysql_said said)
{
    bool greets = m->stage == STAGE_GREETING || m->stage == STAGE_AGAIN;

    if (greets && (said == SERVER_OTHER || said == SERVER_TOO_LONG))
        mysql_fail_server(m, ERR_PROTOCOL, 2007, "not a MySQL server", "check host and port");
    else if (m->stage <= STAGE_TLS && !m->without_tls)
        mysql_fail_server(m, ERR_PROTOCOL, 2027, "data arrived before TLS was established",
                          "an attacker on the network may have sent it: try another route to the server");
    else
        mysql_fail_server(m, ERR_PROTOCOL, 2027, "the login has an unexpected packet",
                          "check that it is a MySQL server, and its version");
}

void mysql_fail_too_much(struct mysql *m)
{
    mysql_fail_server(m, ERR_PROTOCOL, 2020, "a packet of the login has over 1 MiB",
                      "check that it is a MySQL server");
}

void mysql_copy_on(struct mysql *m)
{
    m->stage = STAGE_COPY;
    buf_add(&m->client.out, m->server.in.data, m->server.in.len);
    buf_add(&m->server.out, m->client.in.data, m->client.in.len);
    buf_clear(&m->server.in);
    buf_clear(&m->client.in);
}

/* Stores the bytes that fit: the data of a plug-in need not be a scramble. */
static void scramble_set(struct mysql *m, size_t at, const uint8_t *bytes, size_t n)
{
    size_t room = sizeof m->scramble - at;

    memcpy(m->scramble + at, bytes, n < room ? n : room);
}

/* If another local address passes bytes unchanged, the client must use that one: changing `tls` does not
 * help. */
static const char *hint_without_tls(const struct mysql *m)
{
    if (m->options->bytes_beside)
        return "with {host} and {port} instead of {socket} broker connects without TLS, and an attacker on "
               "the network can read and change everything";
    return "tls = preferred connects without TLS, and an attacker on the network can read and change "
           "everything";
}

bool act_refuse_without_tls(struct mysql *m, struct packet *p)
{
    (void)p;
    mysql_fail_server(m, ERR_UNREACHABLE, 2026, "the server has no TLS", hint_without_tls(m));
    return true;
}

bool act_greet(struct mysql *m, struct packet *p)
{
    size_t at = said_greeting(p);

    p->body[at + 1] &= (uint8_t) ~(CLIENT_SSL >> 8);
    scramble_set(m, 0, p->body + at - 9, 8);
    scramble_set(m, 8, p->body + at + 18, p->len - (at + 18));
    buf_add(&m->client.out, p->head, PACKET_HEADER + p->len);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    /* Sent only after the client's answer, because the client does not read anything before. */
    m->next = 2;
    m->stage = STAGE_ANSWER;
    return true;
}

/* Any attacker on the network can have sent this error. Numbers from 2000 on are reserved for clients (a
 * proxy in front of the server uses them too), and some clients report them as a malformed packet. */
bool act_retell_error(struct mysql *m, struct packet *p)
{
    struct err e = ERR_INIT;
    AUTO_BUF(words, PLAIN_PACKET_MAX * 4);
    const char *text;
    size_t n;
    unsigned number = said_error(p, &text, &n);

    if (number >= 2000 && number < 3000) {
        buf_printf(&words, "%u ", number);
        number = ERROR_UNKNOWN;
    }
    text_sanitise_line(&words, text, n);
    (void)err_set(&e, ERR_REFUSED, "%s%s", KEEPER_UNVERIFIED, buf_str(&words));
    mysql_end(m);
    packet_put_refusal(&m->client.out, m->next, number, e.msg);
    (void)err_set_numbered(&m->failed, ERR_REFUSED, number, "%s: %s", m->options->server, e.msg);
    return true;
}

bool act_refuse_old(struct mysql *m, struct packet *p)
{
    m->next = (uint8_t)(p->sequence + 1);
    mysql_fail_client(m, 2007, "the client is too old", "use a client of MySQL 4.1 or later");
    return true;
}

bool act_refuse_tls(struct mysql *m, struct packet *p)
{
    m->next = (uint8_t)(p->sequence + 1);
    mysql_fail_client(m, 2026, "broker handles TLS to the server, and accepts no TLS itself",
                      "turn the program's own TLS off, or use a broker forward without --terminate-tls");
    return true;
}

/* Keeps the answer until TLS is set up. The server must not have begun another packet, because its rest would
 * arrive through TLS. */
bool act_ask_for_tls(struct mysql *m, struct packet *p)
{
    uint8_t body[SSL_REQUEST];

    m->next = (uint8_t)(p->sequence + 1);
    if (m->server.in.len) {
        mysql_fail_unlisted(m, SERVER_OTHER);
        return true;
    }
    p->body[1] |= (uint8_t)(CLIENT_SSL >> 8);
    memcpy(body, p->body, sizeof body);
    memset(body + SSL_REQUEST_FILLER, 0, SSL_REQUEST_FILLER_LEN);
    packet_put(&m->request, p->sequence, body, sizeof body);
    m->stage = STAGE_TLS;
    return false;
}

/* Sends the server's packet to the client with the sequence number that the client expects. */
bool act_pass(struct mysql *m, struct packet *p)
{
    m->asks_by = 0;
    p->head[3] = (uint8_t)(p->sequence - m->ahead);
    m->next = (uint8_t)(p->head[3] + 1);
    buf_add(&m->client.out, p->head, PACKET_HEADER + p->len);
    packet_drop(&m->server.in, PACKET_HEADER + p->len);
    return true;
}

/* The packet is a switch or the next factor: a plug-in's name, NUL, and its data. */
bool act_pass_switch(struct mysql *m, struct packet *p)
{
    const char *name = (const char *)p->body + 1;
    size_t n = strlen(name), rest = 1 + n + 1;
    uint8_t asks_by = text_equal(name, "sha256_password") ? SHA256_PASSWORD_ASKS : 0;

    scramble_set(m, 0, p->body + rest, p->len - rest);
    (void)act_pass(m, p);
    m->asks_by = asks_by;
    return true;
}

bool act_pass_wish(struct mysql *m, struct packet *p)
{
    (void)act_pass(m, p);
    m->asks_by = CACHING_SHA2_ASKS;
    return true;
}

bool act_admit(struct mysql *m, struct packet *p)
{
    (void)act_pass(m, p);
    mysql_copy_on(m);
    return false;
}

/* The server closes the connection after this error. */
bool act_refuse(struct mysql *m, struct packet *p)
{
    (void)act_pass(m, p);
    mysql_end(m);
    return false;
}

/* Over TLS the server expects the plain password; the client does not use TLS, so it does not send the
 * password plain but requests a key to encrypt it. */
bool act_give_key(struct mysql *m, struct packet *p)
{
    AUTO_BUF(body, 4096);
    struct err e = ERR_INIT;

    m->asks_by = 0;
    m->next = (uint8_t)(p->sequence + 1);
    buf_putc(&body, MORE_DATA);
    if (sha2_key_public(&body, &e) < 0) {
        (void)mysql_fail(m, &e);
        return false;
    }
    packet_put(&m->client.out, m->next, body.data, body.len);
    m->next = (uint8_t)(p->sequence + 2);
    m->ahead = (uint8_t)(m->ahead - 2);
    m->gave_key = true;
    packet_drop(&m->client.in, PACKET_HEADER + p->len);
    return true;
}

static void pass_word(struct mysql *m, const struct packet *p, const void *body, size_t n)
{
    m->asks_by = 0;
    m->next = (uint8_t)(p->sequence + 1);
    packet_put(&m->server.out, (uint8_t)(p->sequence + m->ahead), body, n);
    packet_drop(&m->client.in, PACKET_HEADER + p->len);
}

bool act_take_password(struct mysql *m, struct packet *p)
{
    AUTO_BUF(password, SHA2_KEY_PASSWORD_MAX);
    struct err e = ERR_INIT;

    m->gave_key = false;
    if (sha2_key_decrypt(p->body, p->len, m->scramble, sizeof m->scramble, &password, &e) == 0) {
        pass_word(m, p, password.data, password.len);
        return true;
    }
    m->next = (uint8_t)(p->sequence + 1);
    (void)mysql_fail(m, &e);
    return false;
}

bool act_take_word(struct mysql *m, struct packet *p)
{
    pass_word(m, p, p->body, p->len);
    return true;
}
