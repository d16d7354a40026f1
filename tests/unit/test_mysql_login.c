/* SPDX-License-Identifier: MIT */
/* A MySQL log-in seen through: what is changed on the way and what is not, the keeper's own key, errors.
 * Every case is fed whole and byte by byte. */
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

static enum mysql_step feed(int who, const void *bytes, size_t n)
{
    enum mysql_step (*give)(struct mysql *, const char *, size_t) =
        who == CLIENT ? mysql_from_client : mysql_from_server;
    enum mysql_step step = MYSQL_WAIT;

    if (!in_pieces)
        return give(&m, bytes, n);
    for (size_t i = 0; i < n; i++)
        step = give(&m, (const char *)bytes + i, 1);
    return step;
}

static enum mysql_step packet_from(int who, uint8_t sequence, const void *body, size_t n)
{
    AUTO_BUF(packet, 3 * LOGIN_PACKET_MAX);

    packet_put(&packet, sequence, body, n);
    return feed(who, packet.data, packet.len);
}

/* All that is to be sent there is this packet, and now it is sent. */
static void sent_by(struct buf *out, uint8_t sequence, const void *body, size_t n)
{
    AUTO_BUF(packet, 3 * LOGIN_PACKET_MAX);

    packet_put(&packet, sequence, body, n);
    assert_int_equal(out->len, packet.len);
    assert_memory_equal(out->data, packet.data, packet.len);
    buf_clear(out);
}

static void sent_packet(int who, uint8_t sequence, const void *body, size_t n)
{
    sent_by(who == CLIENT ? &m.client.out : &m.server.out, sequence, body, n);
}

/* In clear and through TLS. */
static void sent_nothing(int who)
{
    assert_int_equal(who == CLIENT ? m.client.out.len : m.server.out.len + m.request.len, 0);
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

/* MySQL 8's, or MariaDB's with its own capabilities. */
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
    if (!tls)
        out->data[22] = (char)0xf7;
}

/* Capabilities with PROTOCOL_41 and without SSL, then MariaDB's of its own, then user, answer, plug-in. */
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

/* As far as the greeting of a server that has TLS, nothing waiting. */
static void greeted(void)
{
    AUTO_BUF(hello, 256);

    begin();
    greeting(&hello, true);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_WAIT);
    buf_clear(&m.client.out);
}

/* As far as the log-in with TLS made, nothing waiting. */
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

static void until_tls(void **state)
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
    /* Where nothing is to stand a client may have left something. */
    memcpy(reply.data + 9, "app correct horse 1", 19);
    memcpy(wanted.data + 9, "app correct horse 1", 19);
    assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_TLS);
    assert_int_equal(m.server.out.len, 0);
    sent_by(&m.request, 1, request, sizeof request);
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    sent_packet(SERVER, 2, wanted.data, wanted.len);
    sent_nothing(CLIENT);
}

/* What the two say after that, in any order; the last byte tells which packet ends it. */
static void renumbered(void **state)
{
    static const char *const server_says[] = {"\xfe"
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
        assert_int_equal(packet_from(SERVER, (uint8_t)(sequence + 3), server_says[i], len[i]), MYSQL_WAIT);
        sent_packet(CLIENT, (uint8_t)(sequence + 2), server_says[i], len[i]);
        assert_int_equal(packet_from(CLIENT, (uint8_t)(sequence + 3), "word", 5), MYSQL_WAIT);
        sent_packet(SERVER, (uint8_t)(sequence + 4), "word", 5);
    }
    /* Numbers go around. */
    assert_int_equal(packet_from(SERVER, 0, "\x01", 1), MYSQL_WAIT);
    sent_packet(CLIENT, 255, "\x01", 1);
    assert_int_equal(packet_from(CLIENT, 255, "x", 1), MYSQL_WAIT);
    sent_packet(SERVER, 0, "x", 1);
}

static void admitted(void **state)
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

/* In the server's own words, and then nobody says anything any more. */
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

/* Everything in one piece: the packet that ends it, and half of what follows. */
static void in_one_go(void **state)
{
    static const char said[] = "\x02\0\0\x03\x01\x03"
                               "\x07\0\0\x04\0\0\0\x02\0\0\0"
                               "\x05\0";
    static const char shown[] = "\x02\0\0\x02\x01\x03"
                                "\x07\0\0\x03\0\0\0\x02\0\0\0"
                                "\x05\0";

    (void)state;
    logging_in();
    assert_int_equal(feed(SERVER, said, sizeof said - 1), MYSQL_COPY);
    assert_int_equal(m.client.out.len, sizeof shown - 1);
    assert_memory_equal(m.client.out.data, shown, sizeof shown - 1);
}

/* A command sent before the log-in has ended keeps its number, and waits. */
static void sent_ahead(void **state)
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

/* What a server may say in clear instead of the greeting or behind it: an error, of which the client gets the
 * number and words of ours around the text. */
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
        {"\xff\xcf\x07no", 5, 1999, "no"}, /* from here on it is a client's own */
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

/* An error must be whole by itself: what comes behind it is not its number. */
static void half_an_error_before_tls(void **state)
{
    static const char both[] = "\x02\0\0\0\xff\xe8\x03\0\0\x01no";

    (void)state;
    begin();
    assert_int_equal(feed(SERVER, both, sizeof both - 1), MYSQL_OVER);
    assert_null(memmem(m.client.out.data, m.client.out.len, "1000", 4));
    assert_non_null(memmem(m.client.out.data, m.client.out.len, "data arrived before TLS", 23));
}

/* Without a plug-in's name: up to the scramble's second part, and without that. A byte less is no greeting.
 */
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

/* Also in one piece with the greeting, whether the client has spoken already or not. */
static void error_behind_the_greeting(void **state)
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

static void no_tls(void **state)
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

/* The unix end of exec at `preferred`: the level is that already. */
static void no_tls_beside_bytes(void **state)
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

static void no_mysql(void **state)
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
                {"\x14\0\0\0\x0axxxxxxxxxxxxxxxxxxx", 24}, /* a version that does not end */
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

#define SPOKEN                                                                                               \
    "broker: 2027 db:3306: data arrived before TLS was established\n"                                        \
    "hint: an attacker on the network may have sent it: try another route to the server"

/* Whole packets that no server sends in clear, at each stage before TLS: over at once, whatever the client
 * does. */
static void no_such_thing_in_clear(void **state)
{
    static const struct {
        const char *body;
        size_t n;
    } rows[] = {{"\0\0\0\x02\0\0\0", 7},
                {"\xff\xff\xff#HY000\x01\x01\x02", 12}, /* MariaDB's progress report */
                {"\xff\xff\xff", 3},
                {"\xff\x10", 2},
                {"\xff", 1},
                {"\xff\x0f\x27no", 5}, /* 9999 is the last number */
                {"\xff\xe7\x03no", 5}, /* and 1000 the first */
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
        bool known = i == 5; /* the control: one that is allowed */
        begin();
        assert_int_equal(packet_from(SERVER, 0, rows[i].body, rows[i].n), MYSQL_OVER);
        if (known)
            buf_clear(&m.client.out);
        else
            sent_error(0, SPOKEN);
        greeted();
        assert_int_equal(packet_from(SERVER, 1, rows[i].body, rows[i].n), MYSQL_OVER);
        if (!known)
            sent_error(2, SPOKEN);
    }
    greeted();
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_OVER);
    sent_error(2, SPOKEN);
    greeted();
    assert_int_equal(packet_from(SERVER, 1, "", 0), MYSQL_OVER);
    sent_error(2, SPOKEN);
    greeted();
    assert_int_equal(feed(SERVER, "\x01\x10\0\0", 4), MYSQL_OVER);
    sent_error(2, SPOKEN);
}

/* A part of a packet would be completed through TLS. */
static void half_a_packet_in_clear(void **state)
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
        sent_error(2, SPOKEN);
        /* While TLS is made nobody reads the server in clear; and if somebody did: */
        greeted();
        assert_int_equal(packet_from(CLIENT, 1, reply.data, reply.len), MYSQL_TLS);
        buf_clear(&m.request);
        assert_int_equal(feed(SERVER, packet, n), MYSQL_TLS);
        assert_int_equal(mysql_tls_made(&m), MYSQL_OVER);
        sent_error(2, SPOKEN);
        assert_int_equal(feed(SERVER, packet + n, sizeof packet - 1 - n), MYSQL_OVER);
        assert_int_equal(m.server.in.len, 0);
        sent_nothing(CLIENT);
    }
}

/* Whom TLS has let in may say what a log-in has, and nothing else. */
static void no_such_thing_in_a_log_in(void **state)
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

static void clients_that_cannot(void **state)
{
    static const struct {
        const char *body;
        size_t n;
        const char *error;
    } rows[] = {{"\x85\xaa\x0f\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32,
                 "broker: 2026 broker makes the TLS to the server, and takes no TLS itself\n"
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

/* A client that speaks first is heard once the server has greeted. */
static void client_first(void **state)
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

static void sizes(void **state)
{
    AUTO_FREE(char *, body);

    (void)state;
    body = mem_alloc(LOGIN_PACKET_MAX + 1, 1);
    logging_in();
    if (in_pieces)
        return; /* for time */
    assert_int_equal(packet_from(CLIENT, 3, body, 16000), MYSQL_WAIT);
    sent_packet(SERVER, 4, body, 16000);
    for (int who = CLIENT; who <= SERVER; who++) {
        logging_in();
        assert_int_equal(feed(who, "\x01\0\x10\x03", 4), MYSQL_OVER);
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
    /* A server that never lets the client speak, and a client that never waits. */
    enum mysql_step step = MYSQL_WAIT;
    for (int i = 0; i < 10 && step == MYSQL_WAIT; i++)
        step = packet_from(SERVER, 3, body, LOGIN_CHUNK_MAX - 4);
    logging_in();
    for (int i = 0; i < 100 && step == MYSQL_WAIT; i++)
        step = packet_from(CLIENT, 0, body, LOGIN_CHUNK_MAX - 4);
    assert_int_equal(step, MYSQL_OVER);
}

/* As a client without TLS does it: the key out of the packet, password and scramble, OAEP. */
static size_t encrypt_behind(size_t before, const char *password, size_t n, const char *scramble, uint8_t *to,
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
    return encrypt_behind(0, password, strlen(password) + 1, scramble, to, room);
}

/* From the server's wish for all of the password, whose number is `at`, to the OK. */
static void own_key(uint8_t at, char asks, const char *wish, size_t wish_len, const char *scramble)
{
    uint8_t secret[512];

    assert_int_equal(packet_from(SERVER, at, wish, wish_len), MYSQL_WAIT);
    sent_packet(CLIENT, (uint8_t)(at - 1), wish, wish_len);
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

static void key_is_ours(void **state)
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

/* A side that does not read until the log-in is over. */
static void too_much_waits(void **state)
{
    AUTO_FREE(char *, body);

    (void)state;
    if (in_pieces)
        return; /* for time */
    body = mem_alloc(LOGIN_CHUNK_MAX, 1);
    for (int who = CLIENT; who <= SERVER; who++) {
        enum mysql_step step = MYSQL_WAIT;
        size_t n = 0;

        body[0] = who == SERVER ? 1 : 'x';
        for (logging_in(); step == MYSQL_WAIT && n < 2 * LOGIN_OUT_MAX; n += LOGIN_CHUNK_MAX)
            step = packet_from(who, 3, body, LOGIN_CHUNK_MAX - 4);
        assert_int_equal(step, MYSQL_OVER);
        assert_int_equal(n, LOGIN_OUT_MAX + LOGIN_CHUNK_MAX);
        assert_string_equal(m.failed.msg, "2020 db:3306: a packet of the login has over 1 MiB");
    }
}

/* A client that sends its next word without an answer to the one before. */
static void two_words_in_one_go(void **state)
{
    static const char words[] = "\x05\0\0\x03hello\x03\0\0\x04you";

    (void)state;
    logging_in();
    assert_int_equal(feed(CLIENT, words, sizeof words - 1), MYSQL_WAIT);
    assert_int_equal(m.client.in.len, 0);
    assert_int_equal(m.server.out.len, sizeof words - 1);
    assert_memory_equal(m.server.out.data, "\x05\0\0\x04hello\x03\0\0\x05you", sizeof words - 1);
}

/* Whoever says that TLS is made when none was asked for changes nothing. */
static void tls_that_nobody_asked_for(void **state)
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

/* The same bytes elsewhere are the plug-ins' own. */
static void key_is_not_asked(void **state)
{
    static const struct {
        const char *wish;
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
        assert_int_equal(packet_from(SERVER, 3, rows[i].wish, rows[i].len), MYSQL_WAIT);
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

/* The password is one packet; what the client says then is passed on as it is, also in one go with it. */
static void words_after_the_password(void **state)
{
    uint8_t secret[512];
    AUTO_BUF(both, 1024);

    (void)state;
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
    assert_int_equal(packet_from(CLIENT, 3, "\x02", 1), MYSQL_WAIT);
    size_t n = encrypt_behind(PACKET_HEADER + 2, "pw", 3, SCRAMBLE, secret, sizeof secret);
    packet_put(&both, 5, secret, n);
    packet_put(&both, 6, "hello", 5);
    assert_int_equal(feed(CLIENT, both.data, both.len), MYSQL_WAIT);
    assert_int_equal(m.client.in.len, 0);
    assert_int_equal(m.server.out.len, 2 * PACKET_HEADER + 3 + 5);
    assert_memory_equal(m.server.out.data, "\x03\0\0\x04pw\0\x05\0\0\x05hello", m.server.out.len);
}

/* What cannot be the password is an error at once, although it came together with the question for the key.
 */
static void password_before_the_key(void **state)
{
    (void)state;
    logging_in();
    assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
    assert_int_equal(feed(CLIENT, "\x01\0\0\x03\x02\x02\0\0\x05pw", 11), MYSQL_OVER);
    assert_string_equal(m.failed.msg, "2061 the client's password: not encrypted with broker's key");
    sent_nothing(SERVER);
}

static void two_answers_in_one_go(void **state)
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

static void key_misused(void **state)
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

/* The shortest password is its NUL alone; nothing, or no NUL at its end, is none. */
static void key_for_hardly_anything(void **state)
{
    uint8_t secret[512];

    (void)state;
    for (size_t n = 0; n <= 3; n++) {
        logging_in();
        assert_int_equal(packet_from(SERVER, 3, "\x01\x04", 2), MYSQL_WAIT);
        assert_int_equal(packet_from(CLIENT, 3, "\x02", 1), MYSQL_WAIT);
        size_t len = encrypt_behind(PACKET_HEADER + 2, n == 3 ? "pw" : "\0pw", n == 3 ? 2 : n, SCRAMBLE,
                                    secret, sizeof secret);
        buf_clear(&m.client.out);
        assert_int_equal(packet_from(CLIENT, 5, secret, len), n == 1 ? MYSQL_WAIT : MYSQL_OVER);
        if (n == 1)
            sent_packet(SERVER, 4, "", 1);
        else
            sent_nothing(SERVER);
    }
}

static void failing(void **state)
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
    logging_in(); /* after the client's word, and after our key */
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

/* Clients have room for 512 bytes: cut, and not in the middle of a character. */
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

/* The parts of an error, and how much of a long one is left if there is a hint. */
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

/* A client may leave the flag in its answer; it has not asked for TLS by that, and neither by the shortest
 * answer without it. */
static void answers_that_ask_for_no_tls(void **state)
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
        BOTH(until_tls),
        BOTH(renumbered),
        BOTH(admitted),
        BOTH(refused),
        BOTH(in_one_go),
        BOTH(sent_ahead),
        BOTH(errors_before_tls),
        BOTH(error_behind_the_greeting),
        BOTH(no_tls),
        BOTH(no_tls_beside_bytes),
        BOTH(no_mysql),
        BOTH(no_such_thing_in_clear),
        BOTH(half_a_packet_in_clear),
        BOTH(no_such_thing_in_a_log_in),
        BOTH(clients_that_cannot),
        BOTH(client_first),
        BOTH(sizes),
        BOTH(too_much_waits),
        BOTH(two_words_in_one_go),
        BOTH(half_an_error_before_tls),
        BOTH(short_greetings),
        BOTH(words_after_the_password),
        BOTH(password_before_the_key),
        BOTH(two_answers_in_one_go),
        BOTH(tls_that_nobody_asked_for),
        BOTH(key_is_ours),
        BOTH(key_is_not_asked),
        BOTH(key_misused),
        BOTH(key_for_hardly_anything),
        BOTH(failing),
        BOTH(answers_that_ask_for_no_tls),
        cmocka_unit_test(long_error),
        cmocka_unit_test(error_with_details),
        cmocka_unit_test(long_packet),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mysql_release(&m);
    return failed;
}
