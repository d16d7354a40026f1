/* SPDX-License-Identifier: MIT */
/* The keeper logs in: packets at the limits of the table, and what must never reach the server. */
#include "inject_fixture.h"

#include <base/secret.h>

#define LAYOUT (CLIENT_PLUGIN_AUTH | CLIENT_LENENC_AUTH | CLIENT_CONNECT_ATTRS)

/* Each byte of the keeper's scramble is in 1..127 and not '$', as MySQL's servers make it. */
static void scramble_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        begin(KEEPER_TLS_NONE, false);
        for (size_t n = 0; n < SCRAMBLE_LEN; n++)
            assert_true(m.inject->scramble[n] > 0 && m.inject->scramble[n] < 128 &&
                        m.inject->scramble[n] != '$');
    }
}

/* A server whose greeting was not answered gets an answer without the client's or the keeper's data: it would
 * otherwise count the connection as a failed one, and block the host (max_connect_errors). */
static void empty_login(void **state)
{
    static const char name[] = "broker: not logged in";

    (void)state;
    for (int named = 0; named < 2; named++) {
        struct answer a;
        AUTO_BUF(out, 1024);
        AUTO_BUF(body, 1024);
        begin(KEEPER_TLS_NONE, true);
        (void)greet(named ? SERVER_FLAGS : SERVER_FLAGS & ~CLIENT_PLUGIN_AUTH, NATIVE);
        assert_int_equal(
            answer_with(named ? CLIENT_FLAGS : CLIENT_FLAGS & ~CLIENT_PLUGIN_AUTH, NATIVE, "x", 1),
            MYSQL_OVER);
        inject_empty_login(m.inject, &out);
        sent(&out, 1, &body);
        assert_int_equal(out.len, 0);
        assert_true(answer_read((const uint8_t *)body.data, body.len, &a));
        assert_int_equal(a.flags, CLIENT_MYSQL | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION |
                                      (named ? CLIENT_PLUGIN_AUTH : 0));
        assert_int_equal(a.user.n, sizeof name - 1);
        assert_memory_equal(a.user.at, name, sizeof name - 1);
        assert_int_equal(a.auth.n, 0);
        assert_int_equal(a.plugin.n, named ? sizeof NATIVE - 1 : 0);
        denied(2);
    }
}

static void no_empty_login_after_an_answer(void **state)
{
    AUTO_BUF(out, 1024);

    (void)state;
    begin(KEEPER_TLS_NONE, true);
    (void)greet(SERVER_FLAGS, NATIVE);
    assert_int_equal(answer_as(NATIVE, RUN_PASSWORD), MYSQL_WAIT);
    inject_empty_login(m.inject, &out);
    assert_int_equal(out.len, 0);
}

/* The client's answer is already there when the server's greeting arrives. */
static void answer_before_the_greeting(void **state)
{
    (void)state;
    begin(KEEPER_TLS_NAME, false);
    assert_int_equal(answer_with(CLIENT_FLAGS, NATIVE, "x", 1), MYSQL_WAIT);
    nothing_sent();
    assert_int_equal(greet(SERVER_FLAGS | CLIENT_SSL, NATIVE), MYSQL_TLS);
}

/* The server greets and refuses in one piece: the client does not have to answer to get the error. */
static void greeting_and_error_at_once(void **state)
{
    static const char no[] = "\xff\x6a\x04Host '10.0.0.1' is not allowed";
    AUTO_BUF(hello, 256);
    AUTO_BUF(piece, 512);

    (void)state;
    begin(KEEPER_TLS_NAME, true);
    greeting_put_for(&hello, SERVER_FLAGS | CLIENT_SSL, NATIVE);
    packet_put(&piece, 0, hello.data, hello.len);
    packet_put(&piece, 1, no, sizeof no - 1);
    assert_int_equal(mysql_from_server(&m, piece.data, piece.len), MYSQL_OVER);
}

/* Both answers of the client, the second one to the request to switch, arrive in one piece. */
static void both_answers_at_once(void **state)
{
    struct answer a = {.flags = CLIENT_FLAGS, .user = span_of("me"), .plugin = span_of("dialog")};
    AUTO_BUF(first, 512);
    AUTO_BUF(proof, 64);
    AUTO_BUF(both, 1024);

    (void)state;
    begin(KEEPER_TLS_NONE, true);
    (void)greet(SERVER_FLAGS, NATIVE);
    answer_put(&first, &a);
    proof_put(&proof, SHA2, RUN_PASSWORD);
    packet_put(&both, 1, first.data, first.len);
    packet_put(&both, 3, proof.data, proof.len);
    assert_int_equal(mysql_from_client(&m, both.data, both.len), MYSQL_WAIT);
    assert_true(mysql_proved(&m));
    assert_int_equal(m.stage, STAGE_LOGIN);
}

/* The client's second answer is for the keeper: it does not become the first command to the server. */
static void proof_is_not_passed_on(void **state)
{
    AUTO_BUF(proof, 64);

    (void)state;
    begin(KEEPER_TLS_NONE, true);
    (void)greet(SERVER_FLAGS, NATIVE);
    (void)answer_with(CLIENT_FLAGS, SHA2, "", 0);
    proof_put(&proof, SHA2, RUN_PASSWORD);
    assert_int_equal(packet_from(CLIENT, 3, proof.data, proof.len), MYSQL_WAIT);
    buf_clear(&m.server.out);
    assert_int_equal(FROM(SERVER, 2, OK), MYSQL_COPY);
    assert_int_equal(m.server.out.len, 0);
}

/* Names as long as the longest that broker accepts, and one byte longer, are unknown plug-ins. */
static void long_plugin_names(void **state)
{
    char name[PLUGIN_NAME_MAX + 2];

    (void)state;
    for (size_t n = PLUGIN_NAME_MAX - 1; n <= PLUGIN_NAME_MAX + 1; n++) {
        AUTO_BUF(body, 256);
        memset(name, 'x', n);
        name[n] = '\0';
        begin(KEEPER_TLS_NONE, true);
        (void)greet(SERVER_FLAGS, NATIVE);
        assert_int_equal(answer_with(CLIENT_FLAGS, name, "x", 1), MYSQL_WAIT);
        sent(&m.client.out, 2, &body);
        assert_string_equal(body.data + 1, SHA2);
    }
}

/* A client that sets flags which the server does not have, and formats its answer by the server's flags. */
static void layout_of_the_server(void **state)
{
    (void)state;
    for (int right = 0; right < 2; right++) {
        struct answer a = {
            .flags = CLIENT_FLAGS & ~LAYOUT, .user = span_of("me"), .database = span_of("shop")};
        AUTO_BUF(proof, 64);
        AUTO_BUF(body, 512);
        begin(KEEPER_TLS_NONE, true);
        (void)greet(SERVER_FLAGS & ~LAYOUT, "");
        proof_put(&proof, NATIVE, right ? RUN_PASSWORD : "another");
        a.auth = (struct span){(const uint8_t *)proof.data, proof.len};
        answer_put(&body, &a);
        body.data[2] = (char)((uint8_t)body.data[2] | LAYOUT >> 16);
        assert_int_equal(packet_from(CLIENT, 1, body.data, body.len), right ? MYSQL_WAIT : MYSQL_OVER);
        if (!right)
            continue;
        assert_int_equal(m.inject->client.flags & LAYOUT, 0);
        assert_int_equal(m.inject->client.database.n, 4);
    }
}

/* caching_sha2_password: the client expects FAST_OK unless its answer is the one of an empty password. */
static void which_answers_are_empty(void **state)
{
    static const struct {
        const char *auth;
        size_t n;
        bool empty;
    } rows[] = {{"", 0, true}, {"\0", 1, true}, {"x", 1, false}, {"\0abc", 4, false}, {"abc", 3, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(KEEPER_TLS_NONE, false);
        (void)greet(SERVER_FLAGS, SHA2);
        (void)answer_with(CLIENT_FLAGS, SHA2, rows[i].auth, rows[i].n);
        assert_int_equal(m.inject->wants_fast, !rows[i].empty);
    }
}

/* MariaDB sends FAST_OK and the request for the password without the byte before them; but alone. */
static void fast_ok_without_its_mark(void **state)
{
    static const char *const long_ones[] = {"\x03x", "\x04x"};
    static const char both[] = "\x02\0\0\x04\x01\x03\x07\0\0\x05" OK;

    (void)state;
    logging_in(KEEPER_TLS_NAME, SHA2);
    assert_int_equal(FROM(SERVER, 3, "\x03"), MYSQL_WAIT);
    assert_int_equal(FROM(SERVER, 4, OK), MYSQL_COPY);
    for (size_t i = 0; i < ARRAY_LEN(long_ones); i++) {
        logging_in(KEEPER_TLS_NAME, SHA2);
        assert_int_equal(packet_from(SERVER, 3, long_ones[i], 2), MYSQL_OVER);
        failed(2, UNEXPECTED);
    }
    /* FAST_OK and OK in one piece */
    logging_in(KEEPER_TLS_NAME, NATIVE);
    assert_int_equal(FROM(SERVER, 3, SWITCH_TO(SHA2)), MYSQL_WAIT);
    buf_clear(&m.server.out);
    assert_int_equal(m.inject->expects, 5);
    AUTO_BUF(piece, 64);
    buf_add(&piece, both, sizeof both - 1);
    piece.data[3] = 5;
    piece.data[9] = 6;
    assert_int_equal(mysql_from_server(&m, piece.data, piece.len), MYSQL_COPY);
}

/* Instead of the salt: nothing, and a packet whose header begins with the byte of the mark. */
static void empty_packet_instead_of_a_salt(void **state)
{
    static const char packets[] = "\0\0\0\x05\x01\0\0\x06P";

    (void)state;
    logging_in(KEEPER_TLS_NAME, NATIVE);
    assert_int_equal(FROM(SERVER, 3,
                          "\xfe"
                          "parsec\0" LONG_SCRAMBLE),
                     MYSQL_WAIT);
    buf_clear(&m.server.out);
    assert_int_equal(mysql_from_server(&m, packets, sizeof packets - 1), MYSQL_OVER);
    assert_int_equal(m.server.out.len, 0);
}

/* The longest password there is, in cleartext and with its NUL. */
static void longest_password(void **state)
{
    char *password = mem_alloc(SECRET_MAX + 1, 1);

    (void)state;
    memset(password, 'x', SECRET_MAX);
    for (int full = 0; full < 2; full++) {
        AUTO_BUF(body, LOGIN_PACKET_MAX);
        begin_as(KEEPER_TLS_NAME, false, password);
        (void)greet(SERVER_FLAGS | CLIENT_SSL, SHA2);
        (void)answer_as(SHA2, "x");
        buf_clear(&m.request);
        assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
        buf_clear(&m.server.out);
        assert_int_equal(full ? FROM(SERVER, 3, "\x01\x04") : FROM(SERVER, 3, CLEAR), MYSQL_WAIT);
        sent(&m.server.out, 4, &body);
        assert_int_equal(body.len, SECRET_MAX + 1);
        assert_memory_equal(body.data, password, SECRET_MAX + 1);
    }
    free(password);
}

/* Takes a login without TLS to the keeper's answer, which is parsed; the client's has these flags, database
 * and attributes. */
static enum mysql_step answer_to(uint32_t flags, struct span database, struct span attributes,
                                 struct buf *body, struct answer *out)
{
    struct answer a = {.flags = flags,
                       .user = span_of("me"),
                       .database = database,
                       .plugin = span_of(NATIVE),
                       .auth = span_of("x"),
                       .attributes = attributes};
    AUTO_BUF(own, LOGIN_PACKET_MAX);

    begin(KEEPER_TLS_NONE, false);
    (void)greet(SERVER_FLAGS, NATIVE);
    answer_put(&own, &a);
    enum mysql_step step = packet_from(CLIENT, 1, own.data, own.len);
    if (step == MYSQL_WAIT) {
        sent(&m.server.out, 1, body);
        assert_true(answer_read((const uint8_t *)body->data, body->len, out));
    }
    return step;
}

/* Capabilities of the client that do not depend on the server are the client's own. */
static void flags_of_the_client(void **state)
{
    struct answer a;

    (void)state;
    for (int set = 0; set < 2; set++) {
        AUTO_BUF(body, 4096);
        uint32_t flags = set ? CLIENT_FLAGS : CLIENT_FLAGS & ~CLIENT_MYSQL;
        assert_int_equal(answer_to(flags, span_of("shop"), span_of(""), &body, &a), MYSQL_WAIT);
        assert_int_equal(a.flags & (CLIENT_MYSQL | CLIENT_SSL), set ? CLIENT_MYSQL : 0);
    }
}

/* The keeper adds its attributes only if they fit beside the client's. */
static void attributes_at_the_limit(void **state)
{
    struct answer a;
    AUTO_BUF(pairs, 2 * ATTRIBUTES_MAX);
    AUTO_BUF(body, LOGIN_PACKET_MAX);
    static const char value[ATTRIBUTES_MAX];

    (void)state;
    assert_int_equal(answer_to(CLIENT_FLAGS, span_of("shop"), span_of(""), &body, &a), MYSQL_WAIT);
    size_t own = a.attributes.n;
    assert_true(own > 30);
    for (size_t over = 0; over < 2; over++) {
        size_t n = ATTRIBUTES_MAX - own + over;
        buf_clear(&pairs);
        buf_clear(&body);
        lenenc_put(&pairs, "k", 1);
        lenenc_put(&pairs, value, n - 2 - 3);
        assert_int_equal(pairs.len, n);
        assert_int_equal(answer_to(CLIENT_FLAGS, span_of("shop"),
                                   (struct span){(const uint8_t *)pairs.data, pairs.len}, &body, &a),
                         MYSQL_WAIT);
        assert_int_equal(a.attributes.n, over ? n : ATTRIBUTES_MAX);
    }
}

/* The client's answer is as large as a packet may be; the keeper's, which has more attributes, is larger. */
static void answer_that_grows_too_large(void **state)
{
    struct answer a;
    char *database = mem_alloc(LOGIN_PACKET_MAX + 1, 1);
    size_t fixed = 32 + 3 + 2 + 1 + sizeof NATIVE + 1;
    AUTO_BUF(body, LOGIN_PACKET_MAX);

    (void)state;
    memset(database, 'd', LOGIN_PACKET_MAX - fixed);
    assert_int_equal(answer_to(CLIENT_FLAGS, span_of(database), span_of(""), &body, &a), MYSQL_OVER);
    failed(2, "2020 db:3306: a packet of the login has over 1 MiB\nhint: check that it is a MySQL server");
    free(database);
}

/* The server asks for another method, and refuses without waiting for the answer. */
static void switch_and_refusal_at_once(void **state)
{
    AUTO_BUF(piece, 256);

    (void)state;
    logging_in(KEEPER_TLS_NAME, NATIVE);
    packet_put(&piece, 3, SWITCH_TO(SHA2), sizeof SWITCH_TO(SHA2) - 1);
    packet_put(&piece, 5, DENIED, sizeof DENIED - 1);
    assert_int_equal(mysql_from_server(&m, piece.data, piece.len), MYSQL_REFUSED);
    assert_int_equal(m.server.out.len, 0);
}

/* tls = preferred: what another server behind the same address offers is decided anew. */
static void retry_without_tls(void **state)
{
    AUTO_BUF(body, 4096);

    (void)state;
    assert_int_equal(retry(KEEPER_TLS_OFFERED, SERVER_FLAGS, NATIVE), MYSQL_WAIT);
    assert_int_equal(m.request.len, 0);
    sent(&m.server.out, 1, &body);
    assert_true(m.without_tls);
    assert_int_equal(retry(KEEPER_TLS_ENCRYPT, SERVER_FLAGS, NATIVE), MYSQL_OVER);
}

/* The server may ask for another method as often in the second login as in the first. */
static void switches_of_a_retry(void **state)
{
    (void)state;
    assert_int_equal(retry(KEEPER_TLS_NONE, SERVER_FLAGS, NATIVE), MYSQL_WAIT);
    for (unsigned n = 0; n <= SWITCHES_MOST; n++) {
        buf_clear(&m.server.out);
        assert_int_equal(packet_from(SERVER, m.inject->expects, SWITCH_TO(SHA2), sizeof SWITCH_TO(SHA2) - 1),
                         n < SWITCHES_MOST ? MYSQL_WAIT : MYSQL_OVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scramble_bytes),
        cmocka_unit_test(empty_login),
        cmocka_unit_test(no_empty_login_after_an_answer),
        cmocka_unit_test(answer_before_the_greeting),
        cmocka_unit_test(greeting_and_error_at_once),
        cmocka_unit_test(both_answers_at_once),
        cmocka_unit_test(proof_is_not_passed_on),
        cmocka_unit_test(long_plugin_names),
        cmocka_unit_test(layout_of_the_server),
        cmocka_unit_test(which_answers_are_empty),
        cmocka_unit_test(fast_ok_without_its_mark),
        cmocka_unit_test(empty_packet_instead_of_a_salt),
        cmocka_unit_test(longest_password),
        cmocka_unit_test(flags_of_the_client),
        cmocka_unit_test(attributes_at_the_limit),
        cmocka_unit_test(answer_that_grows_too_large),
        cmocka_unit_test(switch_and_refusal_at_once),
        cmocka_unit_test(retry_without_tls),
        cmocka_unit_test(switches_of_a_retry),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
