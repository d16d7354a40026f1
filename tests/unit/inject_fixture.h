/* SPDX-License-Identifier: MIT */
/* For tests in which the keeper itself logs in (login_inject.h). The test is both the server and the client,
 * and takes a login to the stage that it tests. */
#ifndef INJECT_FIXTURE_H
#define INJECT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/text.h>
#include <mysql/handshake.h>
#include <mysql/login_filter.h>
#include <mysql/login_inject.h>
#include <mysql/packet.h>

#define PASSWORD "canary-of-the-server"
#define RUN_PASSWORD "password-of-the-run"
#define SCRAMBLE "abcdefghijklmnopqrst"
#define NATIVE "mysql_native_password"
#define SHA2 "caching_sha2_password"
/* Packets of the server. */
#define OK "\0\0\0\x02\0\0\0"
#define UNEXPECTED                                                                                           \
    "2027 db:3306: the login has an unexpected packet\nhint: check that it is a MySQL "                      \
    "server, and its version"
#define SWITCH_TO(name) "\xfe" name "\0" SCRAMBLE "\0"
#define CLEAR                                                                                                \
    "\xfe"                                                                                                   \
    "mysql_clear_password\0"
#define LONG_SCRAMBLE "abcdefghijklmnopqrstuvwxyz012345"
#define DENIED "\xff\x15\x04#28000Access denied for user 'app'"
/* The capabilities of a server that has no TLS. */
#define SERVER_FLAGS (0xdffff7ffu & ~CLIENT_SSL)
#define CLIENT_FLAGS                                                                                         \
    (CLIENT_MYSQL | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH |                     \
     CLIENT_LENENC_AUTH | CLIENT_CONNECT_WITH_DB | CLIENT_CONNECT_ATTRS | CLIENT_LOCAL_FILES |               \
     CLIENT_SESSION_TRACK)

static struct mysql m;
static struct tls_options tls;
static struct login_options options;
static struct secret *run_password;

static inline void begin_as(enum keeper_tls level, bool at_port, const char *password)
{
    struct login_credential *as =
        login_credential_new(mem_strdup("app"), secret_from(password, strlen(password)));

    tls = (struct tls_options){.level = level};
    options = (struct login_options){.server = "db:3306", .tls = &tls, .profile = "prod"};
    mysql_release(&m);
    mysql_init(&m, &options);
    secret_free(run_password);
    run_password = at_port ? secret_from(RUN_PASSWORD, strlen(RUN_PASSWORD)) : NULL;
    mysql_inject(&m, as, run_password);
    login_credential_drop(as);
}

static inline void begin(enum keeper_tls level, bool at_port)
{
    begin_as(level, at_port, PASSWORD);
}

static inline int release(void **state)
{
    (void)state;
    mysql_release(&m);
    secret_free(run_password);
    run_password = NULL;
    return 0;
}

static inline enum mysql_step packet_from(int side, uint8_t sequence, const void *body, size_t n)
{
    AUTO_BUF(packet, 2 * LOGIN_PACKET_MAX);

    packet_put(&packet, sequence, body, n);
    return (side == CLIENT ? mysql_from_client : mysql_from_server)(&m, packet.data, packet.len);
}

/* Like packet_from(), for a string literal that may contain NULs; without its final one. */
#define FROM(side, sequence, text) packet_from(side, sequence, text, sizeof(text) - 1)

/* Removes the first packet from `out`, checks its sequence number, and copies its body. */
static inline void sent(struct buf *out, uint8_t sequence, struct buf *body)
{
    struct packet p;

    assert_int_equal(packet_first(out, LOGIN_PACKET_MAX, &p), 1);
    assert_int_equal(p.sequence, sequence);
    buf_clear(body);
    buf_add(body, p.body, p.len);
    packet_drop(out, PACKET_HEADER + p.len);
}

static inline void sent_text(struct buf *out, uint8_t sequence, const char *text, size_t n)
{
    AUTO_BUF(body, LOGIN_PACKET_MAX);

    sent(out, sequence, &body);
    assert_int_equal(body.len, n);
    assert_memory_equal(buf_str(&body), text, n);
}

#define SENT(out, sequence, text) sent_text(out, sequence, text, sizeof(text) - 1)

static inline void nothing_sent(void)
{
    assert_int_equal(m.client.out.len, 0);
    assert_int_equal(m.server.out.len, 0);
    assert_int_equal(m.request.len, 0);
}

/* The login has ended: the client gets an error from broker, and the server gets nothing. */
static inline void failed(uint8_t sequence, const char *message)
{
    AUTO_BUF(body, 4096);
    AUTO_BUF(wanted, 4096);

    assert_int_equal(m.stage, STAGE_OVER);
    sent(&m.client.out, sequence, &body);
    buf_printf(&wanted, "\xff\x51\x04%sbroker: %s", sequence ? "#08S01" : "", message);
    assert_string_equal(buf_str(&body), buf_str(&wanted));
    assert_int_equal(m.failed.code == ERR_NONE, 0);
    nothing_sent();
}

static inline void denied(uint8_t sequence)
{
    static const char message[] = "\xff\x15\x04#28000broker: the password of this run is needed\nhint: ";
    AUTO_BUF(body, 4096);

    assert_int_equal(m.stage, STAGE_OVER);
    sent(&m.client.out, sequence, &body);
    assert_true(text_starts(buf_str(&body), message));
    assert_int_equal(m.failed.code, ERR_NONE);
    nothing_sent();
}

static inline void greeting_put_for(struct buf *out, uint32_t flags, const char *plugin)
{
    const uint8_t after[] = {(uint8_t)flags,
                             (uint8_t)(flags >> 8),
                             45,
                             2,
                             0,
                             (uint8_t)(flags >> 16),
                             (uint8_t)(flags >> 24),
                             21,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0x1d,
                             0,
                             0,
                             0};

    buf_add(out,
            "\x0a"
            "8.0.36",
            8);
    buf_add(out, "\x07\0\0\0" SCRAMBLE, 12);
    buf_putc(out, '\0');
    buf_add(out, after, sizeof after);
    buf_add(out, &SCRAMBLE[8], 13);
    if (flags & CLIENT_PLUGIN_AUTH)
        buf_add(out, plugin, strlen(plugin) + 1);
}

/* Sends the server's greeting, and discards the one for the client; its scramble is m.inject->scramble. */
static inline enum mysql_step greet(uint32_t flags, const char *plugin)
{
    AUTO_BUF(hello, 256);
    AUTO_BUF(shown, 256);

    greeting_put_for(&hello, flags, plugin);
    enum mysql_step step = packet_from(SERVER, 0, hello.data, hello.len);
    if (m.stage == STAGE_ANSWER)
        sent(&m.client.out, 0, &shown);
    return step;
}

static inline struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

/* Appends what a client with this password answers with this plug-in. */
static inline void proof_put(struct buf *out, const char *plugin, const char *password)
{
    struct secret *s = secret_from(password, strlen(password));
    struct auth a = {.password = s};
    struct err e = ERR_INIT;

    memcpy(a.scramble, m.inject->scramble, SCRAMBLE_LEN);
    (void)auth_find(plugin)->answer(&a, out, &e);
    secret_free(s);
}

static inline enum mysql_step answer_with(uint32_t flags, const char *plugin, const void *auth, size_t n)
{
    struct answer a = {.flags = flags,
                       .max_packet = 0x01000000,
                       .charset = 45,
                       .user = span_of("me"),
                       .auth = {auth, n},
                       .database = span_of("shop"),
                       .plugin = span_of(plugin),
                       .attributes = span_of("\x03_os\x05Linux\x0f_broker_profile\x04"
                                             "fake")};
    AUTO_BUF(body, 4096);

    answer_put(&body, &a);
    return packet_from(CLIENT, 1, body.data, body.len);
}

static inline enum mysql_step answer_as(const char *plugin, const char *password)
{
    AUTO_BUF(auth, 64);

    proof_put(&auth, plugin, password);
    return answer_with(CLIENT_FLAGS, plugin, buf_str(&auth), auth.len);
}

/* Starts a login and takes it to the keeper's answer to the server, which is discarded. TLS is used unless
 * the level is KEEPER_TLS_NONE. */
static inline void logging_in(enum keeper_tls level, const char *server_plugin)
{
    AUTO_BUF(body, 4096);

    begin(level, false);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, server_plugin);
    enum mysql_step step = answer_as(SHA2, RUN_PASSWORD);
    if (level == KEEPER_TLS_NONE) {
        assert_int_equal(step, MYSQL_WAIT);
    } else {
        assert_int_equal(step, MYSQL_TLS);
        assert_int_equal(m.server.out.len, 0);
        buf_clear(&m.request);
        assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    }
    sent(&m.server.out, level == KEEPER_TLS_NONE ? 1 : 2, &body);
}

/* Takes a login to a refusal, and starts it again with a new credential and this greeting. */
static inline enum mysql_step retry(enum keeper_tls level, uint32_t flags, const char *plugin)
{
    struct login_credential *as = login_credential_new(mem_strdup("app2"), secret_from("newer", 5));
    AUTO_BUF(hello, 256);

    logging_in(level, NATIVE);
    assert_int_equal(FROM(SERVER, level == KEEPER_TLS_NONE ? 2 : 3, DENIED), MYSQL_REFUSED);
    assert_int_equal(mysql_retry(&m, as), MYSQL_WAIT);
    login_credential_drop(as);
    greeting_put_for(&hello, flags, plugin);
    return packet_from(SERVER, 0, hello.data, hello.len);
}

#endif
