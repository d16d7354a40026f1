/* SPDX-License-Identifier: MIT */
/* A MySQL login that the keeper passes on: what it changes and what not, its own RSA key, errors. Each case
 * is run with whole packets and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/text.h>
#include <mysql/login_action.h>
#include <mysql/login_filter.h>
#include <mysql/packet.h>
#include <mysql/sha2_key.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define SCRAMBLE "abcdefghijklmnopqrst"
#define LOW_SSL 0x08
#define NO_TLS_HINT                                                                                          \
    "tls = preferred connects without TLS, and an attacker on the network can read and change everything"

static struct mysql m;
static struct login_options options = {.server = "db:3306"};
static bool in_pieces;

static void begin(void)
{
    mysql_release(&m);
    mysql_init(&m, &options);
}

static enum mysql_step feed(int side, const void *bytes, size_t n)
{
    enum mysql_step (*give)(struct mysql *, const char *, size_t) =
        side == CLIENT ? mysql_from_client : mysql_from_server;
    enum mysql_step step = MYSQL_WAIT;

    if (!in_pieces)
        return give(&m, bytes, n);
    for (size_t i = 0; i < n; i++)
        step = give(&m, (const char *)bytes + i, 1);
    return step;
}

static enum mysql_step packet_from(int side, uint8_t sequence, const void *body, size_t n)
{
    AUTO_BUF(packet, 3 * LOGIN_PACKET_MAX);

    packet_put(&packet, sequence, body, n);
    return feed(side, packet.data, packet.len);
}

/* Checks that exactly this packet is waiting in `out`, and removes it. */
static void sent_by(struct buf *out, uint8_t sequence, const void *body, size_t n)
{
    AUTO_BUF(packet, 3 * LOGIN_PACKET_MAX);

    packet_put(&packet, sequence, body, n);
    assert_int_equal(out->len, packet.len);
    assert_memory_equal(out->data, packet.data, packet.len);
    buf_clear(out);
}

static void sent_packet(int side, uint8_t sequence, const void *body, size_t n)
{
    sent_by(side == CLIENT ? &m.client.out : &m.server.out, sequence, body, n);
}

/* Neither in cleartext nor through TLS. */
static void sent_nothing(int side)
{
    assert_int_equal(side == CLIENT ? m.client.out.len : m.server.out.len + m.request.len, 0);
}

static void sent_refusal(uint8_t sequence, unsigned number, const char *text)
{
    AUTO_BUF(body, 4096);
    const char head[] = {'\xff', (char)number, (char)(number >> 8)};

    buf_add(&body, head, sizeof head);
    if (sequence)
        buf_puts(&body, "#08S01");
    buf_puts(&body, text);
    sent_packet(CLIENT, sequence, body.data, body.len);
    sent_nothing(SERVER);
}

static void sent_error(uint8_t sequence, const char *text)
{
    sent_refusal(sequence, 1105, text);
}

/* A greeting as of MySQL 8, with MariaDB's own capabilities too. */
static void greeting(struct buf *out, bool tls)
{
    const uint8_t after[] = {
        0xff, (uint8_t)(0xf7 | (tls ? LOW_SSL : 0)), 45, 2, 0, 0xff, 0xdf, 21, 0, 0, 0, 0, 0, 0, 0x1d, 0, 0,
        0};

    buf_add(out,
            "\x0a"
            "8.0.36",
            8); /* with its NUL */
    buf_add(out,
            "\x07\0\0\0"
            "abcdefgh",
            13);
    buf_add(out, after, sizeof after);
    buf_add(out, "ijklmnopqrst", 13);
    buf_add(out, "caching_sha2_password", 22);
}

/* An answer with PROTOCOL_41, SSL if `tls`, MariaDB's own capabilities, user, auth data and plug-in. */
static void answer(struct buf *out, bool tls)
{
    const uint8_t head[32] = {
        0x85, (uint8_t)(0xa2 | (tls ? LOW_SSL : 0)), 0xbf, 0x01, 0, 0, 0, 1, 45, [28] = 0x1d};

    buf_add(out, head, sizeof head);
    buf_add(out,
            "app\0\x04"
            "hash"
            "caching_sha2_password",
            4 + 5 + 22);
}

/* Starts a login and takes it to the greeting of a server with TLS; nothing is waiting to be sent. */
static void greeted(void)
{
    AUTO_BUF(hello, 256);

    begin();
    greeting(&hello, true);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_WAIT);
    buf_clear(&m.client.out);
}

/* Starts a login and takes it to the client's answer, sent through TLS; nothing is waiting to be sent. */
static void logging_in(void)
{
    AUTO_BUF(reply, 256);

    greeted();
    answer(&reply, false);
    assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_TLS);
    buf_clear(&m.request);
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    buf_clear(&m.server.out);
}

static void answer_is_sent_after_tls(void **state)
{
    AUTO_BUF(hello, 256);
    AUTO_BUF(plain, 256);
    AUTO_BUF(reply, 256);
    AUTO_BUF(wanted, 256);
    char request[32];

    (void)state;
    begin();
    greeting(&hello, true);
    greeting(&plain, false);
    answer(&reply, false);
    answer(&wanted, true);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_WAIT);
    sent_packet(CLIENT, 0, plain.data, plain.len);
    memcpy(request, wanted.data, sizeof request);
    /* A client may have left other data in the reserved bytes. */
    memcpy(reply.data + 9, "app correct horse 1", 19);
    memcpy(wanted.data + 9, "app correct horse 1", 19);
    assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_TLS);
    assert_int_equal(m.server.out.len, 0);
    sent_by(&m.request, 1, request, sizeof request);
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    sent_packet(SERVER, 2, wanted.data, wanted.len);
    sent_nothing(CLIENT);
}

/* Later packets of both sides get other sequence numbers, and are otherwise unchanged. */
static void later_packets_are_renumbered(void **state)
{
    static const char *const server_packets[] = {"\xfe"
                                                 "dialog\0xyz",
                                                 "\x01", "\x04Password: ",
                                                 "\x02"
                                                 "next\0data",
                                                 ""};
    static const size_t len[] = {11, 1, 11, 10, 0};

    (void)state;
    logging_in();
    for (uint8_t i = 0; i < ARRAY_LEN(len); i++) {
        uint8_t sequence = (uint8_t)(2 * i);
        assert_int_equal(packet_from(SERVER, (uint8_t)(sequence + 3), server_packets[i], len[i]), MYSQL_WAIT);
        sent_packet(CLIENT, (uint8_t)(sequence + 2), server_packets[i], len[i]);
        assert_int_equal(packet_from(CLIENT, (uint8_t)(sequence + 3), "word", 5), MYSQL_WAIT);
        sent_packet(SERVER, (uint8_t)(sequence + 4), "word", 5);
    }
    /* Sequence numbers wrap around. */
    assert_int_equal(packet_from(SERVER, 0, "\x01", 1), MYSQL_WAIT);
    sent_packet(CLIENT, 255, "\x01", 1);
    assert_int_equal(packet_from(CLIENT, 255, "x", 1), MYSQL_WAIT);
    sent_packet(SERVER, 0, "x", 1);
}

static void accepted(void **state)
{
    static const char more[] = "\x01\0\0\0\x0e", ok[] = "\0\0\0\x02\0\0\0";

    (void)state;
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x03", 2), MYSQL_WAIT);
    sent_packet(CLIENT, 2, "\x01\x03", 2);
    assert_int_equal(packet_from(SERVER, 4, ok, sizeof ok - 1), MYSQL_COPY);
    sent_packet(CLIENT, 3, ok, sizeof ok - 1);
    assert_int_equal(feed(SERVER, more, sizeof more), MYSQL_COPY);
    assert_memory_equal(m.client.out.data, more, sizeof more);
    assert_int_equal(feed(CLIENT, more, sizeof more), MYSQL_COPY);
    assert_memory_equal(m.server.out.data, more, sizeof more);
}

/* The client gets the server's own error; later packets of either side are ignored. */
static void refused(void **state)
{
    static const char no[] = "\xff\x15\x04#28000Access denied";

    (void)state;
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, no, sizeof no - 1), MYSQL_OVER);
    sent_packet(CLIENT, 2, no, sizeof no - 1);
    assert_int_equal(m.failed.code, ERR_NONE);
    assert_int_equal(packet_from(SERVER, 4, "\0\0\0\x02\0\0\0", 7), MYSQL_OVER);
    assert_int_equal(packet_from(CLIENT, 0, "\x03select 1", 9), MYSQL_OVER);
    sent_nothing(CLIENT);
    sent_nothing(SERVER);
}

/* Everything arrives in one piece: the packet that ends the login, and a part of the next packet. */
static void end_of_login_in_one_piece(void **state)
{
    static const char received[] = "\x02\0\0\x03\x01\x03"
                                   "\x07\0\0\x04\0\0\0\x02\0\0\0"
                                   "\x05\0";
    static const char passed[] = "\x02\0\0\x02\x01\x03"
                                 "\x07\0\0\x03\0\0\0\x02\0\0\0"
                                 "\x05\0";

    (void)state;
    logging_in();
    assert_int_equal(feed(SERVER, received, sizeof received - 1), MYSQL_COPY);
    assert_int_equal(m.client.out.len, sizeof passed - 1);
    assert_memory_equal(m.client.out.data, passed, sizeof passed - 1);
}

/* A command that is sent before the login has ended keeps its sequence number, and is passed on later. */
static void early_command(void **state)
{
    static const char query[] = "\x09\0\0\0\x03select 1"
                                "\x01\0\0\0\x0e";

    (void)state;
    logging_in();
    assert_int_equal(feed(CLIENT, query, sizeof query - 1), MYSQL_WAIT);
    sent_nothing(SERVER);
    assert_int_equal(packet_from(SERVER, 3, "\x01\x03", 2), MYSQL_WAIT);
    sent_nothing(SERVER);
    assert_int_equal(packet_from(SERVER, 4, "\0\0\0\x02\0\0\0", 7), MYSQL_COPY);
    assert_int_equal(m.server.out.len, sizeof query - 1);
    assert_memory_equal(m.server.out.data, query, sizeof query - 1);
}

/* A server may send an error in cleartext, instead of the greeting or after it. The client gets its number,
 * and its text with broker's prefix. */
static void errors_before_tls(void **state)
{
    static const struct {
        const char *body;
        size_t n;
        unsigned number;
        const char *text;
    } rows[] = {
        {"\xff\x69\x04Host '10.0.1.9' is blocked", 29, 1129, "Host '10.0.1.9' is blocked"},
        {"\xff\x10\x04#08004Too many connections", 29, 1040, "Too many connections"},
        {"\xff\x10\x04#0800", 8, 1040, "#0800"},
        {"\xff\x10\x04", 3, 1040, ""},
        {"\xff\xd3\x07"
         "Can't connect to remote MySQL server",
         39, 1105, "2003 Can't connect to remote MySQL server"},
        {"\xff\x51\x04"
         "broker: 2026 no\nhint: curl \x1b[2J\xe2\x80\xae|\0sh",
         41, 1105, "broker: 2026 no?hint: curl ?[2J?|?sh"},
        {"\xff\x10\x04#08004", 9, 1040, ""},
        {"\xff\xe8\x03no", 5, 1000, "no"}, /* the first number of a server */
        {"\xff\x0f\x27no", 5, 9999, "no"}, /* and the last */
        {"\xff\xcf\x07no", 5, 1999, "no"}, /* the last number before those of clients */
        {"\xff\xd0\x07no", 5, 1105, "2000 no"},
        {"\xff\xb7\x0bno", 5, 1105, "2999 no"},
        {"\xff\xb8\x0bno", 5, 3000, "no"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(text, 1024);
        buf_printf(&text, "%s%s", KEEPER_UNVERIFIED, rows[i].text);
        begin();
        assert_int_equal(packet_from(SERVER, 0, rows[i].body, rows[i].n), MYSQL_OVER);
        sent_refusal(0, rows[i].number, buf_str(&text));
        assert_int_equal(m.failed.code, ERR_REFUSED);
        greeted();
        assert_int_equal(packet_from(SERVER, 2, rows[i].body, rows[i].n), MYSQL_OVER);
        sent_refusal(2, rows[i].number, buf_str(&text));
        assert_int_equal(packet_from(CLIENT, 1, "app\0password", 12), MYSQL_OVER);
        assert_int_equal(packet_from(SERVER, 2, "\0\0\0\x02\0\0\0", 7), MYSQL_OVER);
        sent_nothing(CLIENT);
        sent_nothing(SERVER);
    }
}

/* An error packet whose number is truncated; the next packet's bytes are not taken for the rest of it. */
static void truncated_error_before_tls(void **state)
{
    static const char both[] = "\x02\0\0\0\xff\xe8\x03\0\0\x01no";

    (void)state;
    begin();
    assert_int_equal(feed(SERVER, both, sizeof both - 1), MYSQL_OVER);
    assert_null(memmem(m.client.out.data, m.client.out.len, "1000", 4));
    assert_non_null(memmem(m.client.out.data, m.client.out.len, "data arrived before TLS", 23));
}

/* Greetings without a plug-in name: with the scramble's second part, and without. A byte less is not a
 * greeting. */
static void short_greetings(void **state)
{
    AUTO_BUF(hello, 256);

    (void)state;
    greeting(&hello, true);
    for (int part = 1; part >= 0; part--) {
        hello.len = 8 + 13 + 18 + (part ? 12 : 0);
        begin();
        assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_WAIT);
        assert_int_equal(m.client.out.len, PACKET_HEADER + hello.len);
        assert_memory_equal(m.scramble, part ? SCRAMBLE : "abcdefgh\0\0\0\0\0\0\0\0\0\0\0\0",
                            sizeof m.scramble);
    }
    hello.len--;
    begin();
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_OVER);
    sent_error(0, "broker: 2007 db:3306: not a MySQL server\nhint: check host and port");
}

/* The error arrives in one piece with the greeting, before or after the client's answer. */
static void error_after_the_greeting(void **state)
{
    AUTO_BUF(both, 512);
    AUTO_BUF(hello, 256);
    AUTO_BUF(reply, 256);

    (void)state;
    greeting(&hello, true);
    packet_put(&both, 0, hello.data, hello.len);
    packet_put(&both, 1, "\xff\x10\x04#08004no", 11);
    answer(&reply, false);
    for (int early = 0; early < 2; early++) {
        begin();
        if (early)
            assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_WAIT);
        enum mysql_step step = feed(SERVER, both.data, both.len);
        assert_int_equal(step, MYSQL_OVER);
        assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_OVER);
        sent_nothing(SERVER);
    }
}

static void server_without_tls(void **state)
{
    AUTO_BUF(hello, 256);

    (void)state;
    begin();
    greeting(&hello, false);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_OVER);
    sent_error(0, "broker: 2026 db:3306: the server has no TLS\nhint: " NO_TLS_HINT);
    assert_int_equal(m.failed.code, ERR_UNREACHABLE);
    assert_int_equal(feed(CLIENT, "x", 1), MYSQL_OVER);
    assert_int_equal(feed(SERVER, "x", 1), MYSQL_OVER);
    sent_nothing(CLIENT);
    sent_nothing(SERVER);
}

/* The Unix socket of `exec` with tls = preferred, so the hint cannot be to set that. */
static void server_without_tls_at_preferred(void **state)
{
    AUTO_BUF(hello, 256);

    (void)state;
    begin();
    options.bytes_beside = true;
    greeting(&hello, false);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_OVER);
    options.bytes_beside = false;
    sent_error(0, "broker: 2026 db:3306: the server has no TLS\n"
                  "hint: with {host} and {port} instead of {socket} broker connects without TLS, and an "
                  "attacker on the network can read and change everything");
}

static void not_a_mysql_server(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"SSH-2.0-OpenSSH_9.2\r\n", 21},
                {"\x05\0\0\0\x09"
                 "3.1\0",
                 9},
                {"\0\0\0\0", 4},
                {"\x01\0\0\0\x0a", 5},
                {"\x02\0\0\0\x0a\0", 6},
                {"\x0f\0\0\0\x0a"
                 "8\0\x01\0\0\0abcdefgh\xff",
                 20},
                {"\x14\0\0\0\x0axxxxxxxxxxxxxxxxxxx", 24}, /* a version without a NUL */
                {"\x01\x10\0\0\x0a", 5}};
    AUTO_BUF(hello, 256);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin();
        assert_int_equal(feed(SERVER, rows[i].bytes, rows[i].n), MYSQL_OVER);
        sent_error(0, "broker: 2007 db:3306: not a MySQL server\nhint: check host and port");
    }
    begin();
    greeting(&hello, true);
    assert_int_equal(packet_from(SERVER, 1, hello.data, hello.len), MYSQL_OVER);
}

#define DATA_BEFORE_TLS                                                                                      \
    "broker: 2027 db:3306: data arrived before TLS was established\n"                                        \
    "hint: an attacker on the network may have sent it: try another route to the server"

/* Whole packets that no server sends in cleartext, at each stage before TLS, end the login at once. */
static void unexpected_packets_in_cleartext(void **state)
{
    static const struct {
        const char *body;
        size_t n;
    } rows[] = {{"\0\0\0\x02\0\0\0", 7},
                {"\xff\xff\xff#HY000\x01\x01\x02", 12}, /* MariaDB's progress report */
                {"\xff\xff\xff", 3},
                {"\xff\x10", 2},
                {"\xff", 1},
                {"\xff\x0f\x27no", 5}, /* 9999, the last number */
                {"\xff\xe7\x03no", 5}, /* 999; 1000 is the first number */
                {"\xff\x10\x27no", 5},
                {"\xfe"
                 "mysql_clear_password\0",
                 22},
                {"\xfe", 1},
                {"\x01\x04", 2},
                {"\x02"
                 "mysql_clear_password\0",
                 22}};
    AUTO_BUF(hello, 256);

    (void)state;
    greeting(&hello, true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool allowed = i == 5; /* 9999 is allowed, unlike the others */
        begin();
        assert_int_equal(packet_from(SERVER, 0, rows[i].body, rows[i].n), MYSQL_OVER);
        if (allowed)
            buf_clear(&m.client.out);
        else
            sent_error(0, DATA_BEFORE_TLS);
        greeted();
        assert_int_equal(packet_from(SERVER, 1, rows[i].body, rows[i].n), MYSQL_OVER);
        if (!allowed)
            sent_error(2, DATA_BEFORE_TLS);
    }
    greeted();
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_OVER);
    sent_error(2, DATA_BEFORE_TLS);
    greeted();
    assert_int_equal(packet_from(SERVER, 1, "", 0), MYSQL_OVER);
    sent_error(2, DATA_BEFORE_TLS);
    greeted();
    assert_int_equal(feed(SERVER, "\x01\x10\0\0", 4), MYSQL_OVER);
    sent_error(2, DATA_BEFORE_TLS);
}

/* A part of a packet; the rest of it would come through TLS. */
static void partial_packet_in_cleartext(void **state)
{
    static const char packet[] = "\x07\0\0\x02\0\0\0\x02\0\0\0";

    (void)state;
    for (size_t n = 1; n < sizeof packet - 1; n++) {
        AUTO_BUF(reply, 256);
        answer(&reply, false);
        greeted();
        assert_int_equal(feed(SERVER, packet, n), MYSQL_WAIT);
        sent_nothing(CLIENT);
        assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_OVER);
        sent_error(2, DATA_BEFORE_TLS);
        /* No cleartext is read during the handshake. Even if it were, the login would fail: */
        greeted();
        assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_TLS);
        buf_clear(&m.request);
        assert_int_equal(feed(SERVER, packet, n), MYSQL_TLS);
        assert_int_equal(mysql_tls_made(&m), MYSQL_OVER);
        sent_error(2, DATA_BEFORE_TLS);
        assert_int_equal(feed(SERVER, packet + n, sizeof packet - 1 - n), MYSQL_OVER);
        assert_int_equal(m.server.in.len, 0);
        sent_nothing(CLIENT);
    }
}

/* After TLS the server may send only packets that belong to a login. */
static void unexpected_packets_in_the_login(void **state)
{
    static const struct {
        const char *body;
        size_t n;
    } rows[] = {{"\xff\xff\xff#HY000\x01\x01\x02", 12},
                {"\xff", 1},
                {"\xfe", 1},
                {"\xfe"
                 "name",
                 5}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        logging_in();
        assert_int_equal(packet_from(SERVER, 3, rows[i].body, rows[i].n), MYSQL_OVER);
        sent_error(2, "broker: 2027 db:3306: the login has an unexpected packet\n"
                      "hint: check that it is a MySQL server, and its version");
    }
}

static void unsupported_clients(void **state)
{
    static const struct {
        const char *body;
        size_t n;
        const char *error;
    } rows[] = {{"\x85\xaa\x0f\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32,
                 "broker: 2026 broker handles TLS to the server, and accepts no TLS itself\n"
                 "hint: turn the program's own TLS off, or use a broker forward without --terminate-tls"},
                {"\x85\xa0\0\0\0app\0hash", 13,
                 "broker: 2007 the client is too old\n"
                 "hint: use a client of MySQL 4.1 or later"},
                {"\x85\xa0\x0f\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0app", 36,
                 "broker: 2007 the client is too old\nhint: use a client of MySQL 4.1 or later"},
                {"", 0, "broker: 2007 the client is too old\nhint: use a client of MySQL 4.1 or later"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        greeted();
        assert_int_equal(packet_from(CLIENT, 1, rows[i].body, rows[i].n), MYSQL_OVER);
        sent_error(2, rows[i].error);
    }
}

/* If the client sends its answer first, it is processed after the server's greeting. */
static void client_answers_first(void **state)
{
    AUTO_BUF(hello, 256);
    AUTO_BUF(reply, 256);

    (void)state;
    begin();
    greeting(&hello, true);
    answer(&reply, false);
    assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_WAIT);
    sent_nothing(SERVER);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_TLS);
    assert_int_equal(m.request.len, 36);
    assert_int_equal(m.server.out.len, 0);
}

static void packet_sizes(void **state)
{
    AUTO_FREE(char *, body);

    (void)state;
    body = mem_alloc(LOGIN_PACKET_MAX + 1, 1);
    logging_in();
    if (in_pieces)
        return; /* it would take too long */
    assert_int_equal(packet_from(CLIENT, 3, body, 16000), MYSQL_WAIT);
    sent_packet(SERVER, 4, body, 16000);
    for (int side = CLIENT; side <= SERVER; side++) {
        logging_in();
        assert_int_equal(feed(side, "\x01\0\x10\x03", 4), MYSQL_OVER);
        sent_error(2, "broker: 2020 db:3306: a packet of the login has over 1 MiB\n"
                      "hint: check that it is a MySQL server");
    }
    logging_in();
    assert_int_equal(feed(SERVER, "\0\0\x10\x03", 4), MYSQL_WAIT);
    for (size_t at = 0; at < LOGIN_PACKET_MAX; at += LOGIN_CHUNK_MAX) {
        sent_nothing(CLIENT);
        body[0] = 1;
        assert_int_equal(feed(SERVER, body, LOGIN_CHUNK_MAX), MYSQL_WAIT);
    }
    assert_int_equal(m.client.out.len, 4 + LOGIN_PACKET_MAX);
}

/* Encrypts as a client without TLS does: the password XOR the scramble, with OAEP and the key from the packet
 * at `before` in the client's output. */
static size_t encrypt_after(size_t before, const char *password, size_t n, const char *scramble, uint8_t *to,
                            size_t room)
{
    const char *pem = m.client.out.data + before + PACKET_HEADER + 1;
    uint8_t mixed[128];
    BIO *bio = BIO_new_mem_buf(pem, (int)(m.client.out.len - before - PACKET_HEADER - 1));
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *with = EVP_PKEY_CTX_new(key, NULL);

    for (size_t i = 0; i < n; i++)
        mixed[i] = (uint8_t)(password[i] ^ scramble[i % 20]);
    assert_int_equal(EVP_PKEY_encrypt_init(with), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(with, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(with, to, &room, mixed, n), 1);
    EVP_PKEY_CTX_free(with);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return room;
}

static size_t encrypt(const char *password, const char *scramble, uint8_t *to, size_t room)
{
    return encrypt_after(0, password, strlen(password) + 1, scramble, to, room);
}

/* From the server's request for the whole password, with sequence number `at`, to the OK. */
static void own_key(uint8_t at, char asks, const char *prompt, size_t prompt_len, const char *scramble)
{
    uint8_t secret[512];

    assert_int_equal(packet_from(SERVER, at, prompt, prompt_len), MYSQL_WAIT);
    sent_packet(CLIENT, (uint8_t)(at - 1), prompt, prompt_len);
    assert_int_equal(packet_from(CLIENT, at, &asks, 1), MYSQL_WAIT);
    sent_nothing(SERVER);
    assert_int_equal(m.client.out.data[3], at + 1);
    assert_int_equal(m.client.out.data[4], 1);
    size_t n = encrypt("correct horse battery staple", scramble, secret, sizeof secret);
    buf_clear(&m.client.out);
    assert_int_equal(packet_from(CLIENT, (uint8_t)(at + 2), secret, n), MYSQL_WAIT);
    sent_packet(SERVER, (uint8_t)(at + 1), "correct horse battery staple", 29);
    assert_int_equal(packet_from(SERVER, (uint8_t)(at + 2), "\0\0\0\x02\0\0\0", 7), MYSQL_COPY);
    sent_packet(CLIENT, (uint8_t)(at + 3), "\0\0\0\x02\0\0\0", 7);
}

static void client_gets_our_key(void **state)
{
    static const char change[] = "\xfe"
                                 "caching_sha2_password\0ABCDEFGHIJKLMNOPQRST";
    static const char factor[] = "\x02"
                                 "sha256_password\0TSRQPONMLKJIHGFEDCBA";

    (void)state;
    logging_in();
    own_key(3, 2, "\x01\x04", 2, SCRAMBLE);
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, change, sizeof change), MYSQL_WAIT);
    buf_clear(&m.client.out);
    assert_int_equal(packet_from(CLIENT, 3, "hash", 4), MYSQL_WAIT);
    buf_clear(&m.server.out);
    own_key(5, 2, "\x01\x04", 2, "ABCDEFGHIJKLMNOPQRST");
    logging_in();
    own_key(3, 1, factor, sizeof factor, "TSRQPONMLKJIHGFEDCBA");
}

/* The data that waits for a side that does not read is limited. */
static void too_much_data_waiting(void **state)
{
    AUTO_FREE(char *, body);

    (void)state;
    if (in_pieces)
        return; /* it would take too long */
    body = mem_alloc(LOGIN_CHUNK_MAX, 1);
    for (int side = CLIENT; side <= SERVER; side++) {
        enum mysql_step step = MYSQL_WAIT;
        size_t n = 0;

        body[0] = side == SERVER ? 1 : 'x';
        for (logging_in(); step == MYSQL_WAIT && n < 2 * LOGIN_OUT_MAX; n += LOGIN_CHUNK_MAX)
            step = packet_from(side, 3, body, LOGIN_CHUNK_MAX - 4);
        assert_int_equal(step, MYSQL_OVER);
        assert_int_equal(n, LOGIN_OUT_MAX + LOGIN_CHUNK_MAX);
        assert_string_equal(m.failed.msg, "2020 db:3306: a packet of the login has over 1 MiB");
    }
}

/* So is what a client sends ahead of the login's end. */
static void too_much_data_ahead(void **state)
{
    AUTO_FREE(char *, body);
    enum mysql_step step = MYSQL_WAIT;
    size_t n = 0;

    (void)state;
    if (in_pieces)
        return; /* it would take too long */
    body = mem_alloc(LOGIN_CHUNK_MAX, 1);
    for (logging_in(); step == MYSQL_WAIT && n < 2 * LOGIN_OUT_MAX; n += LOGIN_CHUNK_MAX)
        step = packet_from(CLIENT, 0, body, LOGIN_CHUNK_MAX - 4);
    assert_int_equal(step, MYSQL_OVER);
    assert_int_equal(m.server.out.len, 0);
    assert_string_equal(m.failed.msg, "2020 db:3306: a packet of the login has over 1 MiB");
}

/* A client that sends its next packet before the previous one was answered. */
static void two_client_packets_in_one_piece(void **state)
{
    static const char packets[] = "\x05\0\0\x03hello\x03\0\0\x04you";

    (void)state;
    logging_in();
    assert_int_equal(feed(CLIENT, packets, sizeof packets - 1), MYSQL_WAIT);
    assert_int_equal(m.client.in.len, 0);
    assert_int_equal(m.server.out.len, sizeof packets - 1);
    assert_memory_equal(m.server.out.data, "\x05\0\0\x04hello\x03\0\0\x05you", sizeof packets - 1);
}

/* mysql_tls_made() has no effect if TLS was not requested. */
static void unrequested_tls_is_ignored(void **state)
{
    AUTO_BUF(reply, 256);

    (void)state;
    answer(&reply, false);
    begin();
    assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_WAIT);
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    sent_nothing(SERVER);
    greeted();
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    sent_nothing(CLIENT);
    assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_TLS);
}

/* At other places the bytes that request the key are a plug-in's own data. */
static void key_is_not_requested(void **state)
{
    static const struct {
        const char *prompt;
        size_t len;
        const char *answer;
    } rows[] = {{"\x01\x04", 2, "\x01"},
                {"\x01\x03", 2, "\x02"},
                {"\x01\x03", 2, "\x01"},
                {"\x01\x04\x04", 3, "\x02"},
                {"\xfe"
                 "dialog\0\x04",
                 9, "\x02"},
                {"\xfe"
                 "dialog\0\x04",
                 9, "\x01"},
                {"\xfe\0", 2, "\x01"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        logging_in();
        assert_int_equal(packet_from(SERVER, 3, rows[i].prompt, rows[i].len), MYSQL_WAIT);
        assert_int_equal(packet_from(CLIENT, 3, rows[i].answer, 1), MYSQL_WAIT);
        sent_packet(SERVER, 4, rows[i].answer, 1);
    }
    logging_in(); /* the password itself */
    assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
    assert_int_equal(packet_from(CLIENT, 3, "\x02x", 3), MYSQL_WAIT);
    sent_packet(SERVER, 4, "\x02x", 3);
    assert_int_equal(packet_from(CLIENT, 5, "\x02", 1), MYSQL_WAIT);
    sent_packet(SERVER, 6, "\x02", 1);
    assert_int_equal(packet_from(CLIENT, 7, "\x01", 1), MYSQL_WAIT);
    sent_packet(SERVER, 8, "\x01", 1);
}

/* The password is one packet. Later ones are passed on unchanged, even in one piece with it. */
static void packets_after_the_password(void **state)
{
    uint8_t secret[512];
    AUTO_BUF(both, 1024);

    (void)state;
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
    assert_int_equal(packet_from(CLIENT, 3, "\x02", 1), MYSQL_WAIT);
    size_t n = encrypt_after(PACKET_HEADER + 2, "pw", 3, SCRAMBLE, secret, sizeof secret);
    packet_put(&both, 5, secret, n);
    packet_put(&both, 6, "hello", 5);
    assert_int_equal(feed(CLIENT, both.data, both.len), MYSQL_WAIT);
    assert_int_equal(m.client.in.len, 0);
    assert_int_equal(m.server.out.len, 2 * PACKET_HEADER + 3 + 5);
    assert_memory_equal(m.server.out.data, "\x03\0\0\x04pw\0\x05\0\0\x05hello", m.server.out.len);
}

/* Data that cannot be the encrypted password is an error, even in one piece with the request for the key. */
static void password_before_the_key(void **state)
{
    (void)state;
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
    assert_int_equal(feed(CLIENT, "\x01\0\0\x03\x02\x02\0\0\x05pw", 11), MYSQL_OVER);
    assert_string_equal(m.failed.msg, "2061 the client's password: not encrypted with broker's key");
    sent_nothing(SERVER);
}

static void two_server_packets_in_one_piece(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"\x09\0\0\x03\xfe"
                 "dialog\0x\x01\0\0\x04\x01",
                 18},
                {"\x02\0\0\x03\x01\x04\x01\0\0\x04\x01", 11}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        logging_in();
        assert_int_equal(feed(SERVER, rows[i].bytes, rows[i].n), MYSQL_WAIT);
        assert_int_equal(m.server.in.len, 0);
        assert_int_equal(m.client.out.len, rows[i].n);
    }
}

static void unencrypted_password_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 256; n += 256) {
        char junk[256] = {1};
        logging_in();
        assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
        assert_int_equal(packet_from(CLIENT, 3, "\x02", 1), MYSQL_WAIT);
        buf_clear(&m.client.out);
        assert_int_equal(packet_from(CLIENT, 5, junk, n), MYSQL_OVER);
        sent_error(6, "broker: 2061 the client's password: not encrypted with broker's key");
    }
}

/* The shortest password is its NUL alone. Without a NUL at the end, or without any byte, it is refused. */
static void shortest_encrypted_password(void **state)
{
    uint8_t secret[512];

    (void)state;
    for (size_t n = 0; n <= 3; n++) {
        logging_in();
        assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
        assert_int_equal(packet_from(CLIENT, 3, "\x02", 1), MYSQL_WAIT);
        size_t len = encrypt_after(PACKET_HEADER + 2, n == 3 ? "pw" : "\0pw", n == 3 ? 2 : n, SCRAMBLE,
                                   secret, sizeof secret);
        buf_clear(&m.client.out);
        assert_int_equal(packet_from(CLIENT, 5, secret, len), n == 1 ? MYSQL_WAIT : MYSQL_OVER);
        if (n == 1)
            sent_packet(SERVER, 4, "", 1);
        else
            sent_nothing(SERVER);
    }
}

static void mysql_fail_at_each_stage(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    (void)err_set_numbered(&e, ERR_UNREACHABLE, 2013, "db:3306: gone");
    begin();
    assert_int_equal(mysql_fail(&m, &e), MYSQL_OVER);
    sent_error(0, "broker: 2013 db:3306: gone");
    assert_int_equal(mysql_fail(&m, &e), MYSQL_OVER);
    sent_nothing(CLIENT);
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x03", 2), MYSQL_WAIT);
    sent_packet(CLIENT, 2, "\x01\x03", 2);
    assert_int_equal(mysql_fail(&m, &e), MYSQL_OVER);
    sent_error(3, "broker: 2013 db:3306: gone");
    assert_string_equal(m.failed.msg, "2013 db:3306: gone");
    logging_in(); /* after a packet of the client; below: after our key */
    assert_int_equal(packet_from(CLIENT, 3, "word", 4), MYSQL_WAIT);
    buf_clear(&m.server.out);
    assert_int_equal(mysql_fail(&m, &e), MYSQL_OVER);
    sent_error(4, "broker: 2013 db:3306: gone");
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
    assert_int_equal(packet_from(CLIENT, 3, "\x02", 1), MYSQL_WAIT);
    buf_clear(&m.client.out);
    assert_int_equal(mysql_fail(&m, &e), MYSQL_OVER);
    sent_error(5, "broker: 2013 db:3306: gone");
}

/* Clients have room for 512 bytes: the text is truncated, but not in the middle of a character. */
static void long_error(void **state)
{
    struct err e = ERR_INIT;
    AUTO_BUF(text, 2048);
    AUTO_BUF(out, 2048);

    (void)state;
    for (int i = 0; i < 300; i++)
        buf_puts(&text, "\xc3\xa9");
    (void)err_set(&e, ERR_UNREACHABLE, "x%s", buf_str(&text));
    packet_put_error(&out, 0, &e);
    assert_int_equal(out.len, 4 + 3 + 499);
    assert_int_equal((uint8_t)out.data[0] | (uint8_t)out.data[1] << 8, 3 + 499);
    assert_int_equal((uint8_t)out.data[out.len - 1], 0xa9);
}

/* All parts of an error, and how much of a long message is left if there is a hint. */
static void error_with_details(void **state)
{
    static const char with_state[] = "#08S01no", all[] = "\xff\x51\x04"
                                                         "broker: no\n  one\n  two\nhint: go";
    struct err e = ERR_INIT;
    AUTO_BUF(out, 2048);
    AUTO_BUF(text, 2048);

    (void)state;
    (void)err_set(&e, ERR_UNREACHABLE, "no");
    (void)err_detail(&e, "one");
    (void)err_detail(&e, "two");
    (void)err_hint(&e, "go");
    packet_put_error(&out, 0, &e);
    sent_by(&out, 0, all, sizeof all - 1);
    for (int i = 0; i < 600; i++)
        buf_putc(&text, 'x');
    (void)err_set(&e, ERR_UNREACHABLE, "%s", buf_str(&text));
    (void)err_hint(&e, "go");
    packet_put_error(&out, 0, &e);
    assert_int_equal(out.len, 4 + 3 + 340 + strlen("\nhint: go"));
    buf_clear(&out);
    packet_put_refusal(&out, 1, 1105, "no");
    assert_memory_equal(out.data + 4 + 3, with_state, sizeof with_state - 1);
}

static void long_packet(void **state)
{
    AUTO_FREE(char *, body);
    AUTO_BUF(out, 0x20000);

    (void)state;
    body = mem_alloc(0x12345, 1);
    packet_put(&out, 7, body, 0x12345);
    assert_int_equal(out.len, 4 + 0x12345);
    assert_memory_equal(out.data, "\x45\x23\x01\x07", 4);
}

/* A client may set the TLS flag in a whole answer; that does not request TLS. Neither does the shortest
 * answer without the flag. */
static void answers_that_do_not_request_tls(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        AUTO_BUF(reply, 256);
        answer(&reply, tls);
        greeted();
        assert_int_equal(packet_from(CLIENT, 1, reply.data, tls ? reply.len : 32), MYSQL_TLS);
    }
}

static int whole(void **state)
{
    (void)state;
    in_pieces = false;
    return 0;
}

static int pieces(void **state)
{
    (void)state;
    in_pieces = true;
    return 0;
}

#define BOTH(test) cmocka_unit_test_setup(test, whole), cmocka_unit_test_setup(test, pieces)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(answer_is_sent_after_tls),
        BOTH(later_packets_are_renumbered),
        BOTH(accepted),
        BOTH(refused),
        BOTH(end_of_login_in_one_piece),
        BOTH(early_command),
        BOTH(errors_before_tls),
        BOTH(error_after_the_greeting),
        BOTH(server_without_tls),
        BOTH(server_without_tls_at_preferred),
        BOTH(not_a_mysql_server),
        BOTH(unexpected_packets_in_cleartext),
        BOTH(partial_packet_in_cleartext),
        BOTH(unexpected_packets_in_the_login),
        BOTH(unsupported_clients),
        BOTH(client_answers_first),
        BOTH(packet_sizes),
        BOTH(too_much_data_waiting),
        BOTH(too_much_data_ahead),
        BOTH(two_client_packets_in_one_piece),
        BOTH(truncated_error_before_tls),
        BOTH(short_greetings),
        BOTH(packets_after_the_password),
        BOTH(password_before_the_key),
        BOTH(two_server_packets_in_one_piece),
        BOTH(unrequested_tls_is_ignored),
        BOTH(client_gets_our_key),
        BOTH(key_is_not_requested),
        BOTH(unencrypted_password_is_refused),
        BOTH(shortest_encrypted_password),
        BOTH(mysql_fail_at_each_stage),
        BOTH(answers_that_do_not_request_tls),
        cmocka_unit_test(long_error),
        cmocka_unit_test(error_with_details),
        cmocka_unit_test(long_packet),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mysql_release(&m);
    return failed;
}
