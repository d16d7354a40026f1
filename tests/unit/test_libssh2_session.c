/* SPDX-License-Identifier: MIT */
/* Decisions of the libssh2 engine: what an error means for a session, which versions of the library can be
 * used, limits of a session, and messages about a server's algorithms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <libssh2/methods.h>
#include <libssh2/session.h>
#include <ssh/wire_format.h>

static void fates(void **state)
{
    static const struct {
        long code;
        enum fate fate;
    } cases[] = {
        {0, FATE_WELL},
        {7, FATE_WELL},
        {LIBSSH2_ERROR_EAGAIN, FATE_AGAIN},
        {LIBSSH2_ERROR_AUTHENTICATION_FAILED, FATE_REFUSED},
        {LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, FATE_REFUSED},
        {-51, FATE_REFUSED},
        {LIBSSH2_ERROR_CHANNEL_FAILURE, FATE_CHANNEL},
        {LIBSSH2_ERROR_CHANNEL_CLOSED, FATE_CHANNEL},
        {LIBSSH2_ERROR_SOCKET_NONE, FATE_OVER},
        {LIBSSH2_ERROR_SOCKET_DISCONNECT, FATE_OVER},
        {LIBSSH2_ERROR_SOCKET_RECV, FATE_OVER},
        {LIBSSH2_ERROR_SOCKET_SEND, FATE_OVER},
        {LIBSSH2_ERROR_INVALID_MAC, FATE_OVER},
        {LIBSSH2_ERROR_ALLOC, FATE_OVER},
        {LIBSSH2_ERROR_PROTO, FATE_OVER},
        {-52, FATE_OVER},
        {-1000, FATE_OVER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(libssh2_fate(cases[i].code), cases[i].fate);
}

static void versions(void **state)
{
    AUTO_FREE(char *, same);
    AUTO_FREE(char *, later);
    AUTO_FREE(char *, other);

    (void)state;
    same = mem_printf("%d.%d.99", LIBSSH2_VERSION_MAJOR, LIBSSH2_VERSION_MINOR);
    later = mem_printf("%d.%d.0", LIBSSH2_VERSION_MAJOR, LIBSSH2_VERSION_MINOR + 1);
    other = mem_printf("%d.%d.0", LIBSSH2_VERSION_MAJOR + 1, LIBSSH2_VERSION_MINOR);
    assert_true(libssh2_fits(libssh2_version(0)));
    assert_true(libssh2_fits(same));
    assert_false(libssh2_fits(later));
    assert_false(libssh2_fits(other));
    assert_false(libssh2_fits("new"));
    assert_false(libssh2_fits(NULL));
}

/* A session's memory is limited; beyond the limit only small blocks are allocated. No block counts twice. */
static void memory(void **state)
{
    static struct ssh_session s;
    void *abstract = &s, *at[3], *first;

    (void)state;
    s = (struct ssh_session){.state = SESSION_HANDSHAKE};
    first = bounds_alloc(600000, &abstract);
    assert_non_null(first);
    assert_true(s.held >= 600000 && !s.abuse);
    assert_null(bounds_realloc(first, 700000, &abstract)); /* both blocks together exceed the limit */
    assert_non_null(s.abuse);
    at[1] = bounds_alloc(100, &abstract);
    assert_non_null(at[1]);
    bounds_free(first, &abstract);
    bounds_free(at[1], &abstract);
    assert_int_equal(s.held, 0);
    s = (struct ssh_session){.state = SESSION_UP, .accepted = true};
    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        at[i] = bounds_alloc((size_t)25 << 20, &abstract);
    assert_true(at[0] && at[1] && !at[2] && s.abuse);
    bounds_free(at[0], &abstract);
    bounds_free(at[1], &abstract);
    assert_int_equal(s.held, 0);
    assert_int_equal(s.pieces, 0);
}

/* Too many useless bytes end a session; each byte of a connection allows some. */
static void useless_bytes(void **state)
{
    static struct ssh_session s;

    (void)state;
    s = (struct ssh_session){.state = SESSION_LOGIN, .accepted = true};
    bounds_taken(&s, 1u << 20);
    assert_null(s.abuse);
    bounds_taken(&s, 1);
    assert_non_null(s.abuse);
    s = (struct ssh_session){.state = SESSION_UP, .accepted = true, .idle_looked = clock_ms()};
    for (int i = 0; i < 1000; i++) {
        bounds_taken(&s, 1u << 20);
        bounds_moved(&s, 1u << 18);
    }
    assert_null(s.abuse);
    bounds_unread(&s, 4u << 20);
    bounds_taken(&s, 4u << 20);
    assert_null(s.abuse);
    s.idle_looked = clock_ms();
    bounds_taken(&s, 2u << 20);
    assert_non_null(s.abuse);
}

static void put_kexinit(struct ssh_session *s, const char *kex, const char *keys)
{
    AUTO_BUF(body, 4096);
    AUTO_BUF(packet, 4096);
    static const char *const rest[] = {
        "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""};

    buf_putc(&body, 4);
    buf_putc(&body, 20);
    buf_add(&body, "0123456789abcdef", 16);
    wire_put_string(&body, kex, strlen(kex));
    wire_put_string(&body, keys, strlen(keys));
    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        wire_put_string(&body, rest[i], strlen(rest[i]));
    buf_add(&body, "\0\0\0\0\0pppp", 9);
    wire_put_string(&packet, body.data, body.len);
    s->greeting = (struct buf)BUF_INIT(65536);
    greeting_add(s, "hello there\r\nSSH-2.0-x\r\n", 24);
    greeting_add(s, packet.data, packet.len);
}

static void missing_algorithms(void **state)
{
    static const struct {
        const char *kex, *keys, *message;
    } cases[] = {
        {"curve25519-sha256", "ssh-rsa", "the server's host keys are ssh-rsa"},
        {"diffie-hellman-group-exchange-sha256", "ssh-ed25519",
         "the server's key exchange methods are diffie-hellman-group-exchange-sha256"},
        {"curve25519-sha256", "ssh-ed25519", "it has no algorithm in common with the server"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(why, 512);
        struct ssh_session s = {.state = SESSION_HANDSHAKE};
        put_kexinit(&s, cases[i].kex, cases[i].keys);
        assert_true(greeting_disagrees(&s, &why));
        assert_string_equal(buf_str(&why), cases[i].message);
        /* A truncated KEXINIT counts as none. */
        while (s.greeting.len > 0) {
            AUTO_BUF(ignored, 512);
            s.greeting.len--;
            assert_false(greeting_disagrees(&s, &ignored));
        }
        buf_release(&s.greeting);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fates),         cmocka_unit_test(versions),           cmocka_unit_test(memory),
        cmocka_unit_test(useless_bytes), cmocka_unit_test(missing_algorithms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
