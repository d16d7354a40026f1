/* SPDX-License-Identifier: MIT */
/* The keeper logs in: its answers to the server at each stage, and what a hostile server does not get. */
#include "inject_fixture.h"

static void sent_password(uint8_t sequence)
{
    SENT(&m.server.out, sequence, PASSWORD "\0");
}

/* Sequence numbers are counted separately for either side. */
static void accepted(void **state)
{
    (void)state;
    logging_in(KEEPER_TLS_NAME, NATIVE);
    assert_int_equal(FROM(SERVER, 3, OK), MYSQL_COPY);
    SENT(&m.client.out, 2, "\x01\x03");
    SENT(&m.client.out, 3, OK);
    nothing_sent();
    logging_in(KEEPER_TLS_NONE, SHA2);
    assert_int_equal(FROM(SERVER, 2, "\x01\x03"), MYSQL_WAIT);
    nothing_sent();
    assert_int_equal(FROM(SERVER, 3, OK), MYSQL_COPY);
    SENT(&m.client.out, 2, "\x01\x03");
    SENT(&m.client.out, 3, OK);
}

/* A client that answered with mysql_native_password, or with an empty password, expects no FAST_OK. */
static void accepted_at_once(void **state)
{
    (void)state;
    for (int empty = 0; empty < 2; empty++) {
        begin(KEEPER_TLS_NONE, false);
        (void)greet(SERVER_FLAGS, empty ? SHA2 : NATIVE);
        (void)(empty ? answer_with(CLIENT_FLAGS, SHA2, "\0", 1) : answer_as(NATIVE, "x"));
        buf_clear(&m.server.out);
        assert_int_equal(FROM(SERVER, 2, OK), MYSQL_COPY);
        SENT(&m.client.out, 2, OK);
        nothing_sent();
    }
}

/* The client's first command may arrive before the server's OK, and other data in one piece with the OK. Both
 * are passed on. */
static void early_data_is_passed_on(void **state)
{
    static const char query[] = "\x09\0\0\0\x03select 1";
    static const char more[] = "\x07\0\0\x03" OK "\x01";

    (void)state;
    logging_in(KEEPER_TLS_NAME, NATIVE);
    assert_int_equal(mysql_from_client(&m, query, sizeof query - 1), MYSQL_WAIT);
    nothing_sent();
    assert_int_equal(mysql_from_server(&m, more, sizeof more - 1), MYSQL_COPY);
    assert_int_equal(m.server.out.len, sizeof query - 1);
    assert_memory_equal(m.server.out.data, query, sizeof query - 1);
    SENT(&m.client.out, 2, "\x01\x03");
    SENT(&m.client.out, 3, OK);
    assert_int_equal(m.client.out.len, 1);
}

static void full_auth_over_tls(void **state)
{
    static const char *const marks[] = {"\x01\x04", "\x04"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        logging_in(KEEPER_TLS_ENCRYPT, SHA2);
        assert_int_equal(packet_from(SERVER, 3, marks[i], strlen(marks[i])), MYSQL_WAIT);
        sent_password(4);
        assert_int_equal(FROM(SERVER, 5, OK), MYSQL_COPY);
        SENT(&m.client.out, 2, "\x01\x03");
        SENT(&m.client.out, 3, OK);
    }
}

static void full_auth_at_own_socket(void **state)
{
    (void)state;
    begin(KEEPER_TLS_NAME, false);
    options.own_socket = true;
    (void)greet(SERVER_FLAGS, SHA2);
    (void)answer_as(SHA2, "x");
    buf_clear(&m.server.out);
    assert_int_equal(FROM(SERVER, 2, "\x01\x04"), MYSQL_WAIT);
    sent_password(3);
}

static void full_auth_without_tls(void **state)
{
    (void)state;
    logging_in(KEEPER_TLS_NONE, SHA2);
    assert_int_equal(FROM(SERVER, 2, "\x01\x04"), MYSQL_OVER);
    failed(2, "2061 db:3306: the account needs TLS, or the server's public key\nhint: tls = required, "
              "or server_public_key = yes");
    logging_in(KEEPER_TLS_NONE, SHA2);
    m.inject->auth.takes_key = true;
    assert_int_equal(FROM(SERVER, 2, "\x01\x04"), MYSQL_WAIT);
    SENT(&m.server.out, 3, "\x02");
    assert_int_equal(FROM(SERVER, 4, "\x01no key"), MYSQL_OVER);
    failed(2, "2061 db:3306: the server's public key cannot be used\nhint: tls = required");
}

/* Each method that a server can switch to, and the stage after it. */
static void switches(void **state)
{
    static const struct {
        const char *packet;
        size_t packet_n, answer_n;
        enum mysql_stage then;
    } rows[] = {
        {SWITCH_TO(NATIVE), 1 + 22 + 21, 20, STAGE_LOGIN},
        {SWITCH_TO(NATIVE), 1 + 22 + 20, 20, STAGE_LOGIN},
        {SWITCH_TO(SHA2), 1 + 22 + 21, 32, STAGE_FAST},
        {SWITCH_TO("sha256_password"), 1 + 16 + 21, sizeof PASSWORD, STAGE_LAST},
        {"\xfe"
         "client_ed25519\0" LONG_SCRAMBLE,
         1 + 15 + 32, 64, STAGE_LOGIN},
        {"\xfe"
         "parsec\0" LONG_SCRAMBLE,
         1 + 7 + 32, 0, STAGE_SALT},
        {CLEAR, 1 + 21, sizeof PASSWORD, STAGE_LAST},
        {CLEAR "any data", 1 + 21 + 8, sizeof PASSWORD, STAGE_LAST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(body, 256);
        logging_in(KEEPER_TLS_NAME, NATIVE);
        assert_int_equal(packet_from(SERVER, 3, rows[i].packet, rows[i].packet_n), MYSQL_WAIT);
        sent(&m.server.out, 4, &body);
        assert_int_equal(body.len, rows[i].answer_n);
        assert_int_equal(m.stage, rows[i].then);
        nothing_sent();
    }
}

static void parsec(void **state)
{
    static const char *const marks[] = {"\x01P", "P"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        AUTO_BUF(salt, 64);
        AUTO_BUF(body, 256);
        buf_puts(&salt, marks[i]);
        buf_add(&salt, "\0salt-of-18-bytes-x", 19);
        logging_in(KEEPER_TLS_NONE, NATIVE);
        assert_int_equal(FROM(SERVER, 2,
                              "\xfe"
                              "parsec\0" LONG_SCRAMBLE),
                         MYSQL_WAIT);
        SENT(&m.server.out, 3, "");
        assert_int_equal(packet_from(SERVER, 4, salt.data, salt.len), MYSQL_WAIT);
        sent(&m.server.out, 5, &body);
        assert_int_equal(body.len, 96);
        assert_int_equal(FROM(SERVER, 6, OK), MYSQL_COPY);
    }
}

/* Only a verified server gets the password in cleartext, whichever method it names. */
static void password_in_cleartext(void **state)
{
    static const enum keeper_tls never[] = {KEEPER_TLS_NONE, KEEPER_TLS_OFFERED, KEEPER_TLS_ENCRYPT,
                                            KEEPER_TLS_CHAIN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        logging_in(never[i], NATIVE);
        assert_int_equal(FROM(SERVER, never[i] ? 3 : 2, CLEAR), MYSQL_OVER);
        failed(2,
               "2059 db:3306: the server wants the password in cleartext (mysql_clear_password)\nhint: tls = "
               "verify-identity");
    }
    logging_in(KEEPER_TLS_NAME, "dialog");
    assert_int_equal(FROM(SERVER, 3, CLEAR), MYSQL_WAIT);
    sent_password(4);
    begin(KEEPER_TLS_NONE, false);
    options.own_socket = true;
    (void)greet(SERVER_FLAGS, NATIVE);
    (void)answer_as(NATIVE, "x");
    buf_clear(&m.server.out);
    assert_int_equal(FROM(SERVER, 2, CLEAR), MYSQL_WAIT);
    sent_password(3);
}

/* A greeting is not verified, so it can choose only a method whose answer is a digest. For another method the
 * server must ask through TLS. */
static void greeting_chooses_only_digests(void **state)
{
    static const char *const names[] = {"mysql_clear_password", "sha256_password", "client_ed25519", "dialog",
                                        ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct answer a;
        AUTO_BUF(body, 4096);
        begin(KEEPER_TLS_NAME, false);
        (void)greet(SERVER_FLAGS | CLIENT_SSL, names[i]);
        (void)answer_as(SHA2, "x");
        buf_clear(&m.request);
        (void)mysql_tls_made(&m);
        sent(&m.server.out, 2, &body);
        assert_true(answer_read((const uint8_t *)body.data, body.len, &a));
        assert_int_equal(a.auth.n, 0);
        assert_memory_equal(a.plugin.at, SHA2, sizeof SHA2);
        assert_int_equal(m.stage, STAGE_NAMED);
        assert_int_equal(FROM(SERVER, 3, OK), MYSQL_OVER);
        failed(2, UNEXPECTED);
    }
}

static void unknown_methods(void **state)
{
    static const struct {
        const char *packet;
        size_t n;
        const char *reason;
    } rows[] = {
        {"\xfe"
         "dialog\0\x04Password: ",
         20, "the keeper does not support the account's authentication method (dialog)"},
        {"\xfe"
         "auth_gssapi_client\0x",
         21, "the keeper does not support the account's authentication method (auth_gssapi_client)"},
        {"\xfe"
         "dialog\nhint: curl | sh\0",
         25, "the keeper does not support the account's authentication method (dialog)"},
        {"\xfe", 1, "the keeper does not support the account's authentication method (mysql_old_password)"},
        {"\x02"
         "authentication_webauthn_client\0x",
         33, "the account needs a second factor (authentication_webauthn_client)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(message, 512);
        logging_in(KEEPER_TLS_NAME, NATIVE);
        assert_int_equal(packet_from(SERVER, 3, rows[i].packet, rows[i].n), MYSQL_OVER);
        buf_printf(&message, "2059 db:3306: %s\nhint: login = client", rows[i].reason);
        failed(2, buf_str(&message));
    }
}

/* Packets of the server, from sequence number 3 on. The last one is not in the table of the stage to which
 * the others lead. */
static const struct {
    const char *packet[3];
    size_t n[3];
} unexpected[] = {
    {{"\x01\x03"}, {2}}, /* not in mysql_native_password */
    {{"\x01\x04"}, {2}},
    {{"\x01-----BEGIN"}, {11}},
    {{"raw"}, {3}},
    {{"\x0a"
      "8.0"},
     {4}},
    {{""}, {0}},
    {{"\xff"}, {1}},
    {{"\xff\xff\xff#08S01progress"}, {17}},
    {{"\xfe"
      "no end of the name"},
     {19}},
    {{SWITCH_TO(SHA2), "\x01\x03", "\x01\x03"}, {44, 2, 2}}, /* FAST_OK twice */
    {{SWITCH_TO(SHA2), "\x01\x03", "\x01\x04"}, {44, 2, 2}}, /* enough, then not enough */
    {{SWITCH_TO(SHA2), "\x01\x03", SWITCH_TO(NATIVE)}, {44, 2, 44}},
    {{SWITCH_TO(SHA2), "\x01\x04", "\x01\x04"}, {44, 2, 2}},
    {{SWITCH_TO(SHA2), "\x01\x04", SWITCH_TO(SHA2)}, {44, 2, 44}},
    {{CLEAR, CLEAR}, {22, 22}},
    {{"\xfe"
      "parsec\0" LONG_SCRAMBLE,
      OK},
     {40, 7}}, /* OK before the keeper has answered */
    {{"\xfe"
      "parsec\0" LONG_SCRAMBLE,
      SWITCH_TO(NATIVE)},
     {40, 44}},
    {{SWITCH_TO(NATIVE), SWITCH_TO(NATIVE), SWITCH_TO(NATIVE)}, {44, 44, 44}}, /* the third switch */
    {{SWITCH_TO(NATIVE)}, {42}},                                               /* 19 bytes of 20 */
    {{SWITCH_TO(NATIVE) "x"}, {45}},
    {{"\xfe"
      "client_ed25519\0" SCRAMBLE},
     {36}}, /* 20 of 32 */
    {{"\xfe"
      "parsec\0"},
     {8}},
};

static void unexpected_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unexpected); i++) {
        logging_in(KEEPER_TLS_NAME, NATIVE);
        for (size_t n = 0; n < 3 && unexpected[i].packet[n]; n++) {
            bool last = n == 2 || !unexpected[i].packet[n + 1];
            uint8_t sequence = m.inject->expects;
            assert_int_equal(packet_from(SERVER, sequence, unexpected[i].packet[n], unexpected[i].n[n]),
                             last ? MYSQL_OVER : MYSQL_WAIT);
            if (!last)
                buf_clear(&m.server.out);
        }
        failed(2, UNEXPECTED);
    }
}

static void wrong_sequence_numbers(void **state)
{
    (void)state;
    for (uint8_t n = 0; n < 8; n++) {
        if (n == 3)
            continue;
        logging_in(KEEPER_TLS_NAME, NATIVE);
        assert_int_equal(FROM(SERVER, n, OK), MYSQL_OVER);
        failed(2, UNEXPECTED);
    }
    /* OK, although the keeper's answer was not sent yet. */
    begin(KEEPER_TLS_NONE, false);
    (void)greet(SERVER_FLAGS, NATIVE);
    (void)answer_as(NATIVE, "x");
    assert_int_equal(FROM(SERVER, 2, OK), MYSQL_OVER);
    failed(2, UNEXPECTED);
}

static void packet_too_long(void **state)
{
    static char many[LOGIN_PACKET_MAX + 1];

    (void)state;
    logging_in(KEEPER_TLS_NAME, NATIVE);
    assert_int_equal(packet_from(SERVER, 3, many, sizeof many), MYSQL_OVER);
    failed(2, "2020 db:3306: a packet of the login has over 1 MiB\nhint: check that it is a MySQL server");
}

/* The client is waiting. It can get the server's own error or broker's. */
static void refused(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    for (int by_broker = 0; by_broker < 2; by_broker++) {
        logging_in(KEEPER_TLS_NAME, NATIVE);
        assert_int_equal(FROM(SERVER, 3, DENIED), MYSQL_REFUSED);
        nothing_sent();
        assert_int_equal(FROM(SERVER, 4, OK), MYSQL_REFUSED);
        nothing_sent();
        if (by_broker) {
            (void)err_set(&e, ERR_LOGIN, "run broker login");
            assert_int_equal(mysql_tell(&m, &e), MYSQL_OVER);
            failed(2, "run broker login");
        } else {
            assert_int_equal(mysql_tell(&m, NULL), MYSQL_OVER);
            SENT(&m.client.out, 2, DENIED);
            nothing_sent();
        }
    }
    logging_in(KEEPER_TLS_NAME, NATIVE);
    assert_int_equal(FROM(SERVER, 3, "\xff\xa2\x06#28000no password"), MYSQL_REFUSED);
    nothing_sent();
}

static void other_errors(void **state)
{
    static const unsigned numbers[] = {1040, 1129, 1130, 1049, 1820, 1862, 3118, 4151};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char body[] = "\xff??#HY000words";
        body[1] = (char)(numbers[i] & 0xff);
        body[2] = (char)(numbers[i] >> 8);
        logging_in(KEEPER_TLS_NAME, SHA2);
        assert_int_equal(packet_from(SERVER, 3, body, sizeof body - 1), MYSQL_OVER);
        sent_text(&m.client.out, 2, body, sizeof body - 1);
        assert_int_equal(m.failed.code, ERR_NONE);
        nothing_sent();
    }
}

static void retried(void **state)
{
    struct answer a;
    AUTO_BUF(body, 4096);

    (void)state;
    assert_int_equal(retry(KEEPER_TLS_ENCRYPT, SERVER_FLAGS | CLIENT_SSL, SHA2), MYSQL_TLS);
    assert_int_equal(m.client.out.len, 0);
    buf_clear(&m.request);
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    sent(&m.server.out, 2, &body);
    assert_true(answer_read((const uint8_t *)body.data, body.len, &a));
    assert_memory_equal(a.user.at, "app2", 5);
    assert_memory_equal(a.plugin.at, SHA2, sizeof SHA2);
    assert_int_equal(FROM(SERVER, 3, "\x01\x04"), MYSQL_WAIT);
    SENT(&m.server.out, 4, "newer\0");
    assert_int_equal(FROM(SERVER, 5, OK), MYSQL_COPY);
    SENT(&m.client.out, 2, "\x01\x03");
    SENT(&m.client.out, 3, OK);
}

static void retried_at_another_server(void **state)
{
    static const char other[] = "2012 db:3306: a different server answers now\nhint: connect again";
    static const struct {
        uint32_t lacks;
        enum mysql_step step;
    } rows[] = {
        {CLIENT_LENENC_AUTH, MYSQL_TLS},     {CLIENT_PLUGIN_AUTH, MYSQL_TLS},
        {CLIENT_CONNECT_WITH_DB, MYSQL_TLS}, {CLIENT_SSL, MYSQL_OVER},
        {CLIENT_SESSION_TRACK, MYSQL_OVER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(retry(KEEPER_TLS_ENCRYPT, (SERVER_FLAGS | CLIENT_SSL) & ~rows[i].lacks, SHA2),
                         rows[i].step);
        assert_int_equal(m.server.out.len, 0);
    }
    failed(2, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(accepted_at_once),
        cmocka_unit_test(early_data_is_passed_on),
        cmocka_unit_test(full_auth_over_tls),
        cmocka_unit_test(full_auth_at_own_socket),
        cmocka_unit_test(full_auth_without_tls),
        cmocka_unit_test(switches),
        cmocka_unit_test(parsec),
        cmocka_unit_test(password_in_cleartext),
        cmocka_unit_test(greeting_chooses_only_digests),
        cmocka_unit_test(unknown_methods),
        cmocka_unit_test(unexpected_packets),
        cmocka_unit_test(wrong_sequence_numbers),
        cmocka_unit_test(packet_too_long),
        cmocka_unit_test(refused),
        cmocka_unit_test(other_errors),
        cmocka_unit_test(retried),
        cmocka_unit_test(retried_at_another_server),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
