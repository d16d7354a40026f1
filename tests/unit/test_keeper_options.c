/* SPDX-License-Identifier: MIT */
/* Parsing the OPEN record, complete or not, and the answers to STATUS and STOP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <keeper/options.h>
#include <keeper/status_socket.h>

static void put_complete(struct record *r)
{
    r->kind = KEEPER_OPEN;
    record_put_str(r, KEEPER_TAG_HOST, "db.example.com");
    record_put_u64(r, KEEPER_TAG_PORT, 3307);
    record_put_str(r, KEEPER_TAG_LISTENER, "t/run/user/0/broker/x.sock");
    record_put_str(r, KEEPER_TAG_TUNNEL, "type=ssh");
    record_put_str(r, KEEPER_TAG_TUNNEL, "host=bastion=odd");
    record_put_str(r, KEEPER_TAG_TUNNEL, "user=");
}

/* The keeper itself never frees its options. */
static void options_release(struct options *o)
{
    char *const texts[] = {o->label,    o->name,     o->target.host, o->target.socket,
                           o->tls.name, o->tls.ca,   o->tls.cert,    o->tls.key,
                           o->control,  o->log,      o->tls.ciphers, o->tls.version,
                           o->digest,   o->endpoint, o->broker,      o->user};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    for (unsigned i = 0; i < LISTENERS_MOST; i++) {
        free(o->listener[i].path);
        free(o->listener[i].host);
    }
    words_release(&o->target.keys);
    words_release(&o->keys);
    secret_free(o->password);
    *o = (struct options){0};
}

static void test_complete(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;

    (void)state;
    put_complete(&r);
    record_put_str(&r, KEEPER_TAG_LISTENER, "b0 ::1");
    opt = (struct options){0};
    assert_int_equal(options_parse(&r, &opt, &e), 0);
    assert_string_equal(target_name(&opt.target), "db.example.com:3307");
    assert_int_equal(opt.listeners, 2);
    assert_int_equal(opt.listener[0].kind, LISTENER_TLS);
    assert_string_equal(opt.listener[0].path, "/run/user/0/broker/x.sock");
    assert_int_equal(opt.listener[1].kind, LISTENER_BYTES);
    assert_string_equal(opt.listener[1].host, "::1");
    assert_int_equal(opt.listener[1].port, 0);
    assert_string_equal(target_key(&opt.target, "type"), "ssh");
    assert_string_equal(target_key(&opt.target, "host"), "bastion=odd");
    assert_null(target_key(&opt.target, "user"));
    assert_null(target_key(&opt.target, "hos"));
    assert_true(opt.deadline == CLOCK_NEVER);
    assert_false(opt.first);
    options_release(&opt);
}

static const struct {
    const char *what;
    uint8_t tag;
    const char *value;
} broken[] = {
    {"a listener without an address", KEEPER_TAG_LISTENER, "t"},
    {"a listener of an unknown kind", KEEPER_TAG_LISTENER, "x/run/x.sock"},
    {"a listener without a host", KEEPER_TAG_LISTENER, "b3306"},
    {"an invalid port", KEEPER_TAG_LISTENER, "b65536 127.0.0.1"},
    {"a relative path", KEEPER_TAG_LISTENER, "trun/x.sock"},
    {"two endpoints", KEEPER_TAG_SOCKET, "/run/mysqld/mysqld.sock"},
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        AUTO_RECORD(r);
        struct err e = ERR_INIT;
        struct options o = {0};
        put_complete(&r);
        record_put_str(&r, broken[i].tag, broken[i].value);
        if (options_parse(&r, &o, &e) == 0)
            fail_msg("accepted: %s", broken[i].what);
        assert_int_equal(e.code, ERR_PROTOCOL);
        options_release(&o);
    }
}

/* If the keeper logs in, a listener at a TCP port needs a password: every user of the machine can connect. */
static void test_logs_in(void **state)
{
    static const struct {
        const char *listener, *broker, *password;
        enum keeper_tls level;
        bool good;
    } cases[] = {
        {"l/run/x.sock", "/usr/bin/broker", NULL, KEEPER_TLS_NAME, true},
        {"l/run/x.sock", "/usr/bin/broker", NULL, KEEPER_TLS_NONE, true},
        {"l/run/x.sock", NULL, NULL, KEEPER_TLS_NAME, false},
        {"l0 127.0.0.1", "/usr/bin/broker", "0123", KEEPER_TLS_OFFERED, true},
        {"l0 127.0.0.1", "/usr/bin/broker", NULL, KEEPER_TLS_NAME, false},
        {"l0 127.0.0.1", "/usr/bin/broker", "", KEEPER_TLS_NAME, false},
        /* The client would log in itself, and send its password to a server that may be unverified. */
        {"t/run/x.sock", NULL, NULL, KEEPER_TLS_OFFERED, false},
        {"o0 127.0.0.1", NULL, NULL, KEEPER_TLS_NONE, false},
        {"b0 127.0.0.1", NULL, NULL, KEEPER_TLS_NONE, true},
        {"t/run/x.sock", NULL, NULL, (enum keeper_tls)(KEEPER_TLS_NAME + 1), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_RECORD(r);
        struct err e = ERR_INIT;
        struct options o = {0};
        r.kind = KEEPER_OPEN;
        record_put_str(&r, KEEPER_TAG_HOST, "db.example.com");
        record_put_str(&r, KEEPER_TAG_LISTENER, cases[i].listener);
        record_put_u64(&r, KEEPER_TAG_TLS, cases[i].level);
        record_put_str(&r, KEEPER_TAG_BROKER, cases[i].broker);
        record_put_str(&r, KEEPER_TAG_SECRET, cases[i].password);
        record_put_str(&r, KEEPER_TAG_KEY, "auth=iam");
        record_put_str(&r, KEEPER_TAG_KEY, "region=");
        if ((options_parse(&r, &o, &e) == 0) != cases[i].good)
            fail_msg("case %zu", i);
        assert_int_equal(o.keys.count, cases[i].good || o.listeners ? 2 : 0);
        options_release(&o);
    }
}

static void test_kind_zero(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    struct options o = {0};

    (void)state;
    put_complete(&r);
    record_put(&r, KEEPER_TAG_LISTENER, "\0/run/x.sock", 12);
    assert_int_equal(options_parse(&r, &o, &e), -1);
    options_release(&o);
}

static void test_no_endpoint(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    struct options o = {0};

    (void)state;
    r.kind = KEEPER_OPEN;
    record_put_str(&r, KEEPER_TAG_LISTENER, "t/run/x.sock");
    record_put_str(&r, KEEPER_TAG_SOCKET, "");
    assert_int_equal(options_parse(&r, &o, &e), -1);
    options_release(&o);
}

static void test_too_many_listeners(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    struct options o = {0};

    (void)state;
    put_complete(&r);
    for (unsigned i = 0; i < LISTENERS_MOST; i++)
        record_put_str(&r, KEEPER_TAG_LISTENER, "b0 127.0.0.1");
    assert_int_equal(options_parse(&r, &o, &e), -1);
    options_release(&o);
}

static void test_no_listener(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    struct options o = {0};

    (void)state;
    r.kind = KEEPER_OPEN;
    record_put_str(&r, KEEPER_TAG_HOST, "db.example.com");
    assert_int_equal(options_parse(&r, &o, &e), -1);
    options_release(&o);
}

static void test_control(void **state)
{
    struct record status = {.kind = KEEPER_STATUS}, stop = {.kind = KEEPER_STOP},
                  other = {.kind = KEEPER_OPEN};
    AUTO_RECORD(answer);
    AUTO_RECORD(stopped);
    AUTO_RECORD(refused);

    (void)state;
    assert_false(status_answer(&status, &answer));
    assert_int_equal(answer.kind, RECORD_OK);
    assert_int_equal(record_u64(&answer, KEEPER_TAG_CONNECTIONS, 99), 0);
    assert_true(status_answer(&stop, &stopped));
    assert_int_equal(stopped.kind, RECORD_OK);
    assert_false(status_answer(&other, &refused));
    assert_int_equal(refused.kind, RECORD_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),           cmocka_unit_test(test_broken),
        cmocka_unit_test(test_kind_zero),          cmocka_unit_test(test_logs_in),
        cmocka_unit_test(test_too_many_listeners), cmocka_unit_test(test_no_listener),
        cmocka_unit_test(test_no_endpoint),        cmocka_unit_test(test_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
