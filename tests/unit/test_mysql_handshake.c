/* SPDX-License-Identifier: MIT */
/* The greeting, the answer and the OK packet: how they are parsed and built, and that no length in them is
 * followed beyond the packet. Each packet fills its own allocation, so that the address sanitizer reports any
 * access past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <mysql/handshake.h>
#include <mysql/ok_packet.h>

#define SCRAMBLE "abcdefghijklmnopqrst"
/* The capabilities' lower half: PROTOCOL_41, SECURE_CONNECTION and SSL; the upper one: PLUGIN_AUTH. */
#define LOW "\x00\x8a"
#define HIGH "\x08\x00"
#define GREETING(low, high, size, reserved, rest)                                                            \
    "\x0a"                                                                                                   \
    "8.0.36\0"                                                                                               \
    "\x07\0\0\0"                                                                                             \
    "abcdefgh\0" low "\x2d\x02\0" high size reserved rest
#define RESERVED "\0\0\0\0\0\0\0\0\0\0"

static bool greeting_of(const char *bytes, size_t n, struct greeting *g)
{
    uint8_t *body = mem_alloc(n ? n : 1, 1);
    struct packet p = {.body = body, .len = n};

    memcpy(body, bytes, n);
    bool read = greeting_read(&p, g);
    free(body);
    return read;
}

static void greetings(void **state)
{
    static const char mysql[] = GREETING(LOW, HIGH, "\x15", RESERVED, "ijklmnopqrst\0caching_sha2_password");
    static const char mariadb[] =
        GREETING(LOW, HIGH, "\x15", "\0\0\0\0\0\0\x1d\0\0\x01", "ijklmnopqrst\0mysql_native_password");
    static const char nameless[] = GREETING(LOW, "\0\0", "\0", RESERVED, "ijklmnopqrst");
    static const char longer[] = GREETING(LOW, HIGH, "\x21", RESERVED, "ijklmnopqrst0123456789ab\0plugin");
    static const char old[] = GREETING("\x00\x0a", HIGH, "\x15", RESERVED, "ijklmnopqrst");
    struct greeting g;

    (void)state;
    assert_true(greeting_of(mysql, sizeof mysql, &g));
    assert_int_equal(g.flags,
                     CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_SSL | CLIENT_PLUGIN_AUTH);
    assert_memory_equal(g.scramble, SCRAMBLE, 20);
    assert_string_equal(g.plugin, "caching_sha2_password");
    assert_int_equal(g.extended, 0);
    assert_true(greeting_of(mariadb, sizeof mariadb, &g));
    assert_int_equal(g.extended, 0x0100001d);
    /* The name's NUL may be missing. */
    assert_true(greeting_of(mariadb, sizeof mariadb - 1, &g));
    assert_string_equal(g.plugin, "mysql_native_password");
    assert_true(greeting_of(nameless, sizeof nameless - 1, &g));
    assert_string_equal(g.plugin, "");
    assert_true(greeting_of(longer, sizeof longer, &g));
    assert_string_equal(g.plugin, "plugin");
    assert_false(greeting_of(old, sizeof old, &g));
    /* A truncated packet is a greeting if it has the whole scramble; only its plug-in name is shorter. */
    for (size_t n = 0; n < sizeof mysql; n++)
        assert_int_equal(greeting_of(mysql, n, &g), n >= sizeof nameless - 1);
}

static void greeting_longest_name(void **state)
{
    static const char head[] = GREETING(LOW, HIGH, "\x15", RESERVED, "ijklmnopqrst");
    char bytes[sizeof head + 200];
    struct greeting g;

    (void)state;
    memcpy(bytes, head, sizeof head);
    memset(bytes + sizeof head, 'x', sizeof bytes - sizeof head);
    assert_true(greeting_of(bytes, sizeof bytes, &g));
    assert_int_equal(strlen(g.plugin), PLUGIN_NAME_MAX);
}

static void greeting_changed(const char *bytes, size_t n, const char *wanted, size_t wanted_n)
{
    AUTO_BUF(copy, 256);
    AUTO_BUF(out, 256);

    buf_add(&copy, bytes, n);
    struct packet p = {.body = (uint8_t *)copy.data, .len = n};
    greeting_put(&out, &p, (const uint8_t *)"ABCDEFGHIJKLMNOPQRST", "caching_sha2_password");
    assert_int_equal(out.len, wanted_n);
    assert_memory_equal(out.data, wanted, wanted_n);
}

/* The client gets another scramble, no TLS flag and another plug-in; version, thread number and the other
 * capabilities are unchanged. */
static void greetings_for_clients(void **state)
{
    static const char from[] = GREETING("\xff\xff", "\xff\xdf", "\x21", "\0\0\0\0\0\0\x1d\0\0\x01",
                                        "ijklmnopqrst0123456789ab\0plugin");
    static const char to[] = "\x0a"
                             "8.0.36\0"
                             "\x07\0\0\0"
                             "ABCDEFGH\0\xff\xf7\x2d\x02\0\xff\xdf\x15\0\0\0\0\0\0\x1d\0\0\x01"
                             "IJKLMNOPQRST\0caching_sha2_password";
    static const char nameless[] = GREETING(LOW, "\0\0", "\0", RESERVED, "ijklmnopqrst");
    static const char plain[] = "\x0a"
                                "8.0.36\0"
                                "\x07\0\0\0"
                                "ABCDEFGH\0\x00\x82\x2d\x02\0\0\0\0" RESERVED "IJKLMNOPQRST";

    (void)state;
    greeting_changed(from, sizeof from, to, sizeof to);
    greeting_changed(nameless, sizeof nameless - 1, plain, sizeof plain);
}

#define ANSWER_FLAGS                                                                                         \
    (CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_LENENC_AUTH | CLIENT_PLUGIN_AUTH |               \
     CLIENT_CONNECT_WITH_DB | CLIENT_CONNECT_ATTRS | CLIENT_ZSTD)

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static void is_span(struct span s, const char *text)
{
    assert_int_equal(s.n, strlen(text));
    assert_memory_equal(s.at, text, s.n);
}

static void answer_make(struct buf *out, uint32_t flags)
{
    struct answer a = {.flags = flags,
                       .max_packet = 0x01000000,
                       .charset = 45,
                       .extended = 0x1d,
                       .user = span_of("app"),
                       .auth = span_of("twenty bytes of hash"),
                       .database = span_of("shop"),
                       .plugin = span_of("mysql_native_password"),
                       .attributes = span_of("\x03_os\x05Linux"),
                       .zstd_level = 7};

    answer_put(out, &a);
}

static bool answer_of(const char *bytes, size_t n, struct answer *a, uint8_t **body)
{
    *body = mem_alloc(n ? n : 1, 1);
    memcpy(*body, bytes, n);
    return answer_read(*body, n, a);
}

/* Parsing an answer gives what was put into it, for each set of fields. */
static void answers(void **state)
{
    static const uint32_t without[] = {
        0, CLIENT_LENENC_AUTH, CLIENT_PLUGIN_AUTH, CLIENT_CONNECT_WITH_DB, CLIENT_CONNECT_ATTRS, CLIENT_ZSTD};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(without); i++) {
        uint32_t flags = ANSWER_FLAGS & ~without[i];
        struct answer a;
        uint8_t *body;
        AUTO_BUF(out, 1024);
        answer_make(&out, flags);
        assert_true(answer_of(out.data, out.len, &a, &body));
        assert_int_equal(a.flags, flags);
        assert_int_equal(a.max_packet, 0x01000000);
        assert_int_equal(a.charset, 45);
        assert_int_equal(a.extended, 0x1d);
        is_span(a.user, "app");
        is_span(a.auth, "twenty bytes of hash");
        is_span(a.database, flags & CLIENT_CONNECT_WITH_DB ? "shop" : "");
        is_span(a.plugin, flags & CLIENT_PLUGIN_AUTH ? "mysql_native_password" : "");
        is_span(a.attributes, flags & CLIENT_CONNECT_ATTRS ? "\x03_os\x05Linux" : "");
        assert_int_equal(a.zstd_level, flags & CLIENT_ZSTD ? 7 : 0);
        free(body);
        /* A truncated answer is refused, because each field is required. */
        for (size_t n = 0; n < out.len; n++) {
            assert_false(answer_of(out.data, n, &a, &body));
            free(body);
        }
    }
}

/* With CLIENT_MYSQL the reserved bytes have no meaning. Bytes after the last field are ignored. Without
 * CLIENT_SECURE_CONNECTION, as before the hash of 4.1, the auth data is a string with a NUL. */
static void answers_of_other_clients(void **state)
{
    struct answer a;
    uint8_t *body;
    AUTO_BUF(out, 1024);
    AUTO_BUF(old, 1024);

    (void)state;
    answer_make(&out, ANSWER_FLAGS | CLIENT_MYSQL);
    assert_true(answer_of(out.data, out.len, &a, &body));
    assert_int_equal(a.extended, 0);
    free(body);
    buf_puts(&out, "more");
    assert_true(answer_of(out.data, out.len, &a, &body));
    free(body);
    buf_add(&old, "\x01\x02", 2);
    buf_add(&old, (const char[30]){0}, 30);
    buf_add(&old, "app\0hashhash", 13);
    assert_true(answer_of(old.data, old.len, &a, &body));
    is_span(a.auth, "hashhash");
    free(body);
    assert_false(answer_of(old.data, old.len - 1, &a, &body));
    free(body);
}

static void answer_hostile(const char *tail, size_t n, uint32_t flags)
{
    struct answer a;
    uint8_t *body;
    AUTO_BUF(out, 1024);
    const uint8_t head[32] = {(uint8_t)flags, (uint8_t)(flags >> 8), (uint8_t)(flags >> 16),
                              (uint8_t)(flags >> 24)};

    buf_add(&out, head, sizeof head);
    buf_add(&out, tail, n);
    assert_false(answer_of(out.data, out.len, &a, &body));
    free(body);
}

static void hostile_lengths(void **state)
{
    const uint32_t lenenc = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_LENENC_AUTH;
    const uint32_t attributes = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_CONNECT_ATTRS;

    (void)state;
    answer_hostile("app", 3, lenenc);
    answer_hostile("app\0\xff", 5, lenenc);
    answer_hostile("app\0\xfb", 5, lenenc);
    answer_hostile("app\0\xfc\x05", 6, lenenc);
    answer_hostile("app\0\xfd\xff\xff\xffhash", 12, lenenc);
    answer_hostile("app\0\xfe\xff\xff\xff\xff\xff\xff\xff\xffhash", 17, lenenc);
    answer_hostile("app\0\xfe\0\0\0\0\0\0\0\x80hash", 17, lenenc);
    answer_hostile("app\0\xc8hash", 9, CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION);
    answer_hostile("app\0\0\x05\x03_os\x05", 11, attributes);
    answer_hostile("app\0\0\x04\x03_os", 10, attributes);
    answer_hostile("app\0\0\x06\x03_os\x05L", 12, attributes);
    answer_hostile("app\0\0\x09\x03_os\x05Li", 13, attributes);
}

static void too_many_attributes(void **state)
{
    AUTO_BUF(value, 70000);
    AUTO_BUF(pairs, 80000);
    AUTO_BUF(tail, 90000);

    (void)state;
    memset(buf_room(&value, ATTRIBUTES_MAX), 'x', ATTRIBUTES_MAX);
    buf_grew(&value, ATTRIBUTES_MAX);
    lenenc_put(&pairs, "_os", 3);
    lenenc_put(&pairs, value.data, value.len);
    buf_add(&tail, "app\0", 5);
    lenenc_put(&tail, pairs.data, pairs.len);
    struct answer a;
    uint8_t *body;
    AUTO_BUF(out, 100000);
    buf_add(&out, "\0\x82\x10\0", 4);
    buf_add(&out, (const char[28]){0}, 28);
    buf_add(&out, tail.data, tail.len);
    assert_false(answer_of(out.data, out.len, &a, &body));
    free(body);
}

static void strings_of_each_size(void **state)
{
    static const size_t sizes[] = {0, 1, 250, 251, 252, 65535, 65536, 70000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct span all, out;
        AUTO_BUF(text, 80000);
        AUTO_BUF(b, 80000);
        memset(buf_room(&text, sizes[i]), 'x', sizes[i]);
        buf_grew(&text, sizes[i]);
        lenenc_put(&b, text.data, text.len);
        all = (struct span){(const uint8_t *)b.data, b.len};
        assert_true(lenenc_take(&all, &out));
        assert_int_equal(out.n, sizes[i]);
        assert_int_equal(all.n, 0);
    }
}

static void own_attributes_are_dropped(void **state)
{
    AUTO_BUF(out, 256);

    (void)state;
    attributes_copy(&out,
                    span_of("\x03_os\x05Linux\x0f_broker_profile\x04prod\x08_broker_\x01x\x07_broker\x01y"),
                    "_broker_");
    assert_string_equal(buf_str(&out), "\x03_os\x05Linux\x07_broker\x01y");
}

#define HEX64 "3A79B15F8D9BDAAB8B3C86094BDD028A63A43EBE0F1D6E41D821E0F14C2F9F6E"
#define OK_HEAD "\0\0\0\x02\x40\0\0"
#define PROOF "\x41\x01" HEX64
#define CHANGES                                                                                              \
    "\x13\0\x11\x0a"                                                                                         \
    "autocommit\x02ON"

static void certificate_proof(void **state)
{
    /* MariaDB's proof of its certificate: with the session's changes, as MariaDB 11.8 sends it; without them;
     * not length-encoded. Other texts are unchanged. */
    static const struct {
        const char *received;
        size_t n;
        const char *passed;
        size_t passed_n;
    } rows[] = {
        {OK_HEAD PROOF CHANGES, 7 + 66 + 18, OK_HEAD "\0" CHANGES, 7 + 1 + 18},
        {OK_HEAD PROOF, 7 + 66, OK_HEAD, 7},
        {OK_HEAD "\x01" HEX64, 7 + 65, OK_HEAD, 7},
        {"\0\xfc\x01\x02\xfe\1\2\3\4\5\6\7\x08\x02\0\0\0" PROOF, 17 + 66,
         "\0\xfc\x01\x02\xfe\1\2\3\4\5\6\7\x08\x02\0\0\0", 17},
        {OK_HEAD "\x05hello" CHANGES, 7 + 6 + 18, OK_HEAD "\x05hello" CHANGES, 7 + 6 + 18},
        {OK_HEAD "\x01x", 9, OK_HEAD "\x01x", 9},
        {OK_HEAD "\0" CHANGES, 26, OK_HEAD "\0" CHANGES, 26},
        {OK_HEAD, 7, OK_HEAD, 7},
        {"\0", 1, "\0", 1},
        {"\0\xfe\x01", 3, "\0\xfe\x01", 3},
        {"\0\0\0\x02", 4, "\0\0\0\x02", 4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t *body = mem_alloc(rows[i].n, 1);
        AUTO_BUF(out, 512);
        memcpy(body, rows[i].received, rows[i].n);
        ok_without_vouching(&out, body, rows[i].n);
        assert_int_equal(out.len, rows[i].passed_n);
        assert_memory_equal(out.data, rows[i].passed, out.len);
        free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greetings),
        cmocka_unit_test(greeting_longest_name),
        cmocka_unit_test(greetings_for_clients),
        cmocka_unit_test(answers),
        cmocka_unit_test(answers_of_other_clients),
        cmocka_unit_test(hostile_lengths),
        cmocka_unit_test(too_many_attributes),
        cmocka_unit_test(strings_of_each_size),
        cmocka_unit_test(own_attributes_are_dropped),
        cmocka_unit_test(certificate_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
