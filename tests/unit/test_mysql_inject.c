/* SPDX-License-Identifier: MIT */
/* The keeper logs in: what the client gets and must prove, when TLS is used, and what the server gets. */
#include "inject_fixture.h"

#define NO_TLS                                                                                               \
    "the server has no TLS\nhint: tls = preferred connects without TLS, and an attacker on the network can " \
    "read and change everything"

static void greeting_shown(void **state)
{
    static const struct {
        const char *server, *client;
    } rows[] = {{NATIVE, NATIVE}, {SHA2, SHA2}, {"sha256_password", SHA2}, {"mysql_clear_password", SHA2},
                {"dialog", SHA2}, {"", SHA2}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(hello, 256);
        AUTO_BUF(wanted, 256);
        AUTO_BUF(shown, 256);
        begin(KEEPER_TLS_NAME, false);
        greeting_put_for(&hello, SERVER_FLAGS | CLIENT_SSL, rows[i].server);
        greeting_put_for(&wanted, SERVER_FLAGS, rows[i].client);
        assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_WAIT);
        sent(&m.client.out, 0, &shown);
        assert_int_equal(memmem(shown.data, shown.len, SCRAMBLE, 8) != NULL, 0);
        assert_int_equal(memmem(shown.data, shown.len, &SCRAMBLE[8], 12) != NULL, 0);
        memcpy(shown.data + 12, SCRAMBLE, 8);
        memcpy(shown.data + 39, &SCRAMBLE[8], 12);
        assert_int_equal(shown.len, wanted.len);
        assert_memory_equal(shown.data, wanted.data, wanted.len);
        for (size_t n = 0; n < SCRAMBLE_LEN; n++)
            assert_true(m.inject->scramble[n] > 0 && m.inject->scramble[n] < 128 &&
                        m.inject->scramble[n] != '$');
        nothing_sent();
    }
}

/* A client that has the run's password, with either plug-in. Before TLS only our TLS request is sent. */
static void password_proved(void **state)
{
    static const char *const plugins[] = {NATIVE, SHA2};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *plugin = plugins[i % 2];
        AUTO_BUF(request, 64);
        begin(KEEPER_TLS_NAME, true);
        (void)greet(SERVER_FLAGS | CLIENT_SSL, plugins[i / 2]);
        assert_false(mysql_proved(&m));
        assert_int_equal(answer_as(plugin, RUN_PASSWORD), MYSQL_TLS);
        assert_true(mysql_proved(&m));
        sent(&m.request, 1, &request);
        assert_int_equal(request.len, 32);
        assert_int_equal(request.data[1] & 0x08, 0x08);
        nothing_sent();
    }
}

static void password_not_proved(void **state)
{
    static const char *const plugins[] = {NATIVE, SHA2};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plugins); i++) {
        AUTO_BUF(right, 64);
        begin(KEEPER_TLS_NAME, true);
        (void)greet(SERVER_FLAGS | CLIENT_SSL, plugins[i]);
        assert_int_equal(answer_as(plugins[i], "another"), MYSQL_OVER);
        assert_false(mysql_proved(&m));
        denied(2);
        /* No answer, the NUL of an empty password, a byte less, a byte more, the other plug-in's answer. */
        for (int how = 0; how < 5; how++) {
            buf_clear(&right);
            begin(KEEPER_TLS_NAME, true);
            (void)greet(SERVER_FLAGS | CLIENT_SSL, plugins[i]);
            proof_put(&right, plugins[how == 4 ? 1 - i : i], RUN_PASSWORD);
            size_t n = how == 0   ? 0
                       : how == 1 ? 1
                       : how == 2 ? right.len - 1
                       : how == 3 ? right.len + 1
                                  : right.len;
            if (how == 1)
                right.data[0] = '\0';
            assert_int_equal(answer_with(CLIENT_FLAGS, plugins[i], right.data, n), MYSQL_OVER);
            assert_false(mysql_proved(&m));
            denied(2);
        }
    }
}

/* Everything that is sent later is ignored. */
static void failed_proof_is_final(void **state)
{
    (void)state;
    begin(KEEPER_TLS_NONE, true);
    (void)greet(SERVER_FLAGS, NATIVE);
    assert_int_equal(answer_as(NATIVE, "another"), MYSQL_OVER);
    denied(2);
    assert_int_equal(answer_as(NATIVE, RUN_PASSWORD), MYSQL_OVER);
    assert_int_equal(FROM(SERVER, 2, "\0\0\0\x02\0\0\0"), MYSQL_OVER);
    nothing_sent();
}

static void any_answer_at_a_socket(void **state)
{
    static const struct {
        const char *plugin, *auth;
        size_t n;
    } rows[] = {{NATIVE, "", 0}, {NATIVE, "what ever it may be", 20}, {NATIVE, "x", 1}, {NATIVE, "\0", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(KEEPER_TLS_NAME, false);
        (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
        assert_int_equal(answer_with(CLIENT_FLAGS, rows[i].plugin, rows[i].auth, rows[i].n), MYSQL_TLS);
        assert_true(mysql_proved(&m));
    }
}

/* A client that is older than plug-ins uses mysql_native_password. */
static void client_without_plugins(void **state)
{
    const uint32_t flags = CLIENT_FLAGS & ~(CLIENT_PLUGIN_AUTH | CLIENT_LENENC_AUTH);

    (void)state;
    for (int right = 0; right < 2; right++) {
        AUTO_BUF(auth, 64);
        begin(KEEPER_TLS_NAME, true);
        (void)greet((SERVER_FLAGS | CLIENT_SSL) & (right ? ~CLIENT_PLUGIN_AUTH : ~0u), SHA2);
        proof_put(&auth, NATIVE, right ? RUN_PASSWORD : "another");
        assert_int_equal(answer_with(flags, "", auth.data, auth.len), right ? MYSQL_TLS : MYSQL_OVER);
    }
}

static void switched(const char *greeted_by, const char *named, const char *to, const char *password,
                     bool at_port, bool accepted)
{
    AUTO_BUF(body, 256);
    AUTO_BUF(auth, 64);

    begin(KEEPER_TLS_NONE, at_port);
    (void)greet(SERVER_FLAGS, greeted_by);
    assert_int_equal(answer_with(CLIENT_FLAGS, named, "", 0), MYSQL_WAIT);
    assert_false(mysql_proved(&m));
    sent(&m.client.out, 2, &body);
    assert_int_equal(body.len, 1 + strlen(to) + 1 + 20 + 1);
    assert_int_equal((unsigned char)body.data[0], 0xfe);
    assert_string_equal(body.data + 1, to);
    assert_memory_equal(body.data + 1 + strlen(to) + 1, m.inject->scramble, 20);
    nothing_sent();
    proof_put(&auth, to, password);
    assert_int_equal(packet_from(CLIENT, 3, buf_str(&auth), auth.len), accepted ? MYSQL_WAIT : MYSQL_OVER);
    assert_int_equal(mysql_proved(&m), accepted);
    if (!accepted)
        denied(4);
}

/* A client that named another plug-in than the greeting, or an unsupported one, is asked to switch. */
static void asked_to_switch(void **state)
{
    (void)state;
    switched(NATIVE, SHA2, SHA2, RUN_PASSWORD, true, true);
    switched(SHA2, NATIVE, NATIVE, RUN_PASSWORD, true, true);
    switched(SHA2, "dialog", SHA2, RUN_PASSWORD, true, true);
    switched(NATIVE, "mysql_clear_password", SHA2, RUN_PASSWORD, true, true);
    switched(NATIVE, "a name that is far longer than that of any plug-in that there is or was", SHA2,
             RUN_PASSWORD, true, true);
    switched(NATIVE, SHA2, SHA2, "another", true, false);
    switched(NATIVE, SHA2, SHA2, "", true, false);
    switched(SHA2, "dialog", SHA2, "another", true, false);
    switched(SHA2, "dialog", SHA2, "another", false, true);
    switched(SHA2, "dialog", SHA2, "", false, true);
}

/* The client's second answer is refused if it has the wrong sequence number. */
static void wrong_sequence_number(void **state)
{
    AUTO_BUF(auth, 64);

    (void)state;
    begin(KEEPER_TLS_NONE, true);
    (void)greet(SERVER_FLAGS, NATIVE);
    (void)answer_with(CLIENT_FLAGS, SHA2, "", 0);
    buf_clear(&m.client.out);
    proof_put(&auth, SHA2, RUN_PASSWORD);
    assert_int_equal(packet_from(CLIENT, 0, auth.data, auth.len), MYSQL_OVER);
    denied(4);
}

static void bad_clients(void **state)
{
    static const char no_tls[] =
        "2026 broker handles TLS to the server, and accepts no TLS itself\nhint: turn "
        "the program's own TLS off, or use a broker forward without --terminate-tls";

    (void)state;
    begin(KEEPER_TLS_NAME, true);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(answer_with(CLIENT_FLAGS | CLIENT_SSL, NATIVE, "", 0), MYSQL_OVER);
    failed(2, no_tls);
    begin(KEEPER_TLS_NAME, true);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(
        packet_from(CLIENT, 1, "\0\x0a\0\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32),
        MYSQL_OVER);
    failed(2, no_tls);
    begin(KEEPER_TLS_NAME, true);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(FROM(CLIENT, 1, "GET / HTTP/1.1"), MYSQL_OVER);
    failed(2, "2007 the client is too old\nhint: use a client of MySQL 4.1 or later");
    begin(KEEPER_TLS_NAME, true);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(
        packet_from(CLIENT, 1,
                    "\0\x82\0\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0app\0\x14short",
                    42),
        MYSQL_OVER);
    failed(2, "1043 the client's answer to the greeting is malformed\nhint: check that it is a MySQL client, "
              "and its version");
}

/* Whether TLS is used, by the profile's level and what the server offers. */
static void tls_levels(void **state)
{
    static const struct {
        enum keeper_tls level;
        bool offers, own, works, with_tls;
    } rows[] = {
        {KEEPER_TLS_NONE, true, false, true, false},   {KEEPER_TLS_NONE, false, false, true, false},
        {KEEPER_TLS_OFFERED, true, false, true, true}, {KEEPER_TLS_OFFERED, false, false, true, false},
        {KEEPER_TLS_ENCRYPT, true, false, true, true}, {KEEPER_TLS_ENCRYPT, false, false, false, false},
        {KEEPER_TLS_CHAIN, true, false, true, true},   {KEEPER_TLS_CHAIN, false, false, false, false},
        {KEEPER_TLS_NAME, true, false, true, true},    {KEEPER_TLS_NAME, false, false, false, false},
        {KEEPER_TLS_NAME, true, true, true, false},    {KEEPER_TLS_NAME, false, true, true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(rows[i].level, false);
        options.own_socket = rows[i].own;
        (void)greet(SERVER_FLAGS | (rows[i].offers ? CLIENT_SSL : 0), NATIVE);
        if (!rows[i].works) {
            failed(0, "2026 db:3306: " NO_TLS);
            continue;
        }
        assert_int_equal(answer_as(NATIVE, "x"), rows[i].with_tls ? MYSQL_TLS : MYSQL_WAIT);
        assert_int_equal(m.request.len > 0, rows[i].with_tls);
        assert_int_equal(m.server.out.len > 0, !rows[i].with_tls);
        assert_int_equal(m.without_tls, !rows[i].with_tls);
    }
}

/* The answer that the server gets: the client's settings, and the keeper's user, password and attributes. */
static void answer_to_server(void **state)
{
    struct answer a;
    AUTO_BUF(request, 64);
    AUTO_BUF(body, 4096);
    AUTO_BUF(right, 64);

    (void)state;
    begin(KEEPER_TLS_NAME, true);
    (void)greet((SERVER_FLAGS & ~0x20u) | CLIENT_SSL, NATIVE);
    AUTO_BUF(auth, 64);
    proof_put(&auth, NATIVE, RUN_PASSWORD);
    (void)answer_with((CLIENT_FLAGS & ~CLIENT_CONNECT_ATTRS) | CLIENT_COMPRESS | CLIENT_INTERACTIVE, NATIVE,
                      auth.data, auth.len);
    sent(&m.request, 1, &request);
    assert_int_equal(mysql_tls_made(&m), MYSQL_WAIT);
    sent(&m.server.out, 2, &body);
    assert_memory_equal(request.data, body.data, 32);
    assert_true(answer_read((const uint8_t *)body.data, body.len, &a));
    assert_int_equal(a.flags, (CLIENT_FLAGS | CLIENT_SSL | CLIENT_INTERACTIVE) & ~CLIENT_LOCAL_FILES);
    assert_int_equal(a.max_packet, 0x01000000);
    assert_int_equal(a.charset, 45);
    assert_int_equal(a.user.n, 3);
    assert_memory_equal(a.user.at, "app", 3);
    assert_memory_equal(a.database.at, "shop", 4);
    assert_memory_equal(a.plugin.at, NATIVE, sizeof NATIVE);
    assert_memory_equal(a.attributes.at, "\x0f_broker_profile\x04prod\x0f_broker_version", 37);
    struct auth own = m.inject->auth;
    struct err e = ERR_INIT;
    assert_memory_equal(own.scramble, SCRAMBLE, 20);
    (void)auth_native(&own, &right, &e);
    assert_int_equal(a.auth.n, 20);
    assert_memory_equal(a.auth.at, right.data, 20);
    nothing_sent();
}

static void attributes_to_server(void **state)
{
    struct answer a;
    AUTO_BUF(body, 4096);

    (void)state;
    begin(KEEPER_TLS_NONE, false);
    options.local_infile = true;
    options.profile = NULL;
    (void)greet(SERVER_FLAGS, NATIVE);
    (void)answer_as(NATIVE, "x");
    sent(&m.server.out, 1, &body);
    assert_true(answer_read((const uint8_t *)body.data, body.len, &a));
    assert_true(a.flags & CLIENT_LOCAL_FILES);
    assert_memory_equal(a.attributes.at, "\x03_os\x05Linux\x0f_broker_version\x05" BROKER_VERSION, 32);
    assert_int_equal(a.attributes.n, 32);
}

/* The login fails, and the server gets nothing, not even a farewell: an attacker may have sent the data. */
static void failed_without_farewell(void)
{
    AUTO_BUF(farewell, 256);

    failed(2, "2027 db:3306: data arrived before TLS was established\nhint: an attacker on the network may "
              "have sent "
              "it: try another route to the server");
    inject_empty_login(m.inject, &farewell);
    assert_int_equal(farewell.len, 0);
}

/* Data that was sent in cleartext must not be taken for data that came through TLS. */
static void data_before_tls(void **state)
{
    static const char ok[] = "\x07\0\0\x02\0\0\0\x02\0\0\0";
    AUTO_BUF(hello, 256);

    (void)state;
    begin(KEEPER_TLS_ENCRYPT, false);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(mysql_from_server(&m, ok, sizeof ok - 1), MYSQL_OVER);
    failed_without_farewell();
    /* A part of a packet; the rest of it would come through TLS. */
    begin(KEEPER_TLS_ENCRYPT, false);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(mysql_from_server(&m, ok, 2), MYSQL_WAIT);
    assert_int_equal(answer_as(NATIVE, "x"), MYSQL_OVER);
    failed_without_farewell();
    begin(KEEPER_TLS_ENCRYPT, false);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    assert_int_equal(answer_as(NATIVE, "x"), MYSQL_TLS);
    buf_clear(&m.request);
    (void)mysql_from_server(&m, ok, 2);
    assert_int_equal(mysql_tls_made(&m), MYSQL_OVER);
    failed_without_farewell();
    /* A second greeting. */
    begin(KEEPER_TLS_ENCRYPT, false);
    (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
    greeting_put_for(&hello, SERVER_FLAGS, NATIVE);
    assert_int_equal(packet_from(SERVER, 0, hello.data, hello.len), MYSQL_OVER);
    failed_without_farewell();
}

static void errors_before_tls(void **state)
{
    static const char no[] = "\xff\x6a\x04Host '10.0.0.1' is not allowed";

    (void)state;
    for (int greeted = 0; greeted < 2; greeted++) {
        AUTO_BUF(body, 256);
        begin(KEEPER_TLS_NAME, true);
        if (greeted)
            (void)greet(SERVER_FLAGS | CLIENT_SSL, NATIVE);
        assert_int_equal(packet_from(SERVER, (uint8_t)greeted, no, sizeof no - 1), MYSQL_OVER);
        sent(&m.client.out, greeted ? 2 : 0, &body);
        assert_non_null(strstr(buf_str(&body), KEEPER_UNVERIFIED "Host '10.0.0.1' is not allowed"));
        nothing_sent();
    }
}

static void unsupported_servers(void **state)
{
    AUTO_BUF(old, 256);

    (void)state;
    begin(KEEPER_TLS_NONE, true);
    assert_int_equal(FROM(SERVER, 0, "SSH-2.0-OpenSSH_9.2"), MYSQL_OVER);
    failed(0, "2007 db:3306: not a MySQL server\nhint: check host and port");
    begin(KEEPER_TLS_NONE, true);
    greeting_put_for(&old, SERVER_FLAGS & ~CLIENT_SECURE_CONNECTION, NATIVE);
    assert_int_equal(packet_from(SERVER, 0, old.data, old.len), MYSQL_OVER);
    failed(0, "2007 db:3306: the server is older than MySQL 4.1\nhint: login = client");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greeting_shown),
        cmocka_unit_test(password_proved),
        cmocka_unit_test(password_not_proved),
        cmocka_unit_test(failed_proof_is_final),
        cmocka_unit_test(any_answer_at_a_socket),
        cmocka_unit_test(client_without_plugins),
        cmocka_unit_test(asked_to_switch),
        cmocka_unit_test(wrong_sequence_number),
        cmocka_unit_test(bad_clients),
        cmocka_unit_test(tls_levels),
        cmocka_unit_test(answer_to_server),
        cmocka_unit_test(attributes_to_server),
        cmocka_unit_test(data_before_tls),
        cmocka_unit_test(errors_before_tls),
        cmocka_unit_test(unsupported_servers),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
