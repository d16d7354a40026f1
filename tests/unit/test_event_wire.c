/* SPDX-License-Identifier: MIT */
/* A server that sends session tickets without end: each read returns soon, and in the end the wire is broken.
 * Each step of a handshake returns soon, too, if it sends HelloRequests without end. What a server sends in
 * parts of records is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bio.h>

#include <base/mem.h>
#include <event/wire.h>

#include "self_signed.h"

#define READ_AHEAD (64 * 1024)
#define ONE_READ (2 * READ_AHEAD) /* the limit, and what OpenSSL reads ahead beyond it */
#define ALL_READS (1024 * 1024)
#define RECORD (16 * 1024)
/* More than the wire may take; a ticket has over 100 bytes. */
#define TICKETS 20000

static struct wire wire;
static SSL_CTX *near_context, *far_context;
static SSL *server;
static BIO *sent; /* what the server has sent, before it is given to the client's socket */
static int far;
static char data[RECORD];

static void contexts_make(void)
{
    near_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_read_ahead(near_context, 1);
    SSL_CTX_set_default_read_buffer_len(near_context, READ_AHEAD);
    far_context = self_signed_server();
}

/* Gives the client at most `most` bytes of what the server has sent. */
static void give(size_t most)
{
    char *at;
    size_t there = (size_t)BIO_get_mem_data(sent, &at);
    ssize_t n = send(far, at, most < there ? most : there, MSG_DONTWAIT);

    for (char skipped[RECORD]; n > 0;)
        n -= BIO_read(sent, skipped, n < RECORD ? (int)n : RECORD);
}

/* Gives the server what the client has sent. */
static void give_back(BIO *received)
{
    ssize_t n = recv(far, data, sizeof data, MSG_DONTWAIT);

    if (n > 0)
        assert_int_equal(BIO_write(received, data, (int)n), n);
}

static void begin(size_t tickets)
{
    BIO *received = BIO_new(BIO_s_mem());
    int fd[2];

    contexts_make();
    assert_int_equal(SSL_CTX_set_num_tickets(far_context, tickets), 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    wire = (struct wire)WIRE_INIT;
    wire.watch.fd = fd[0];
    far = fd[1];
    sent = BIO_new(BIO_s_mem());
    wire.ssl = SSL_new(near_context);
    assert_int_equal(SSL_set_fd(wire.ssl, fd[0]), 1);
    SSL_set_connect_state(wire.ssl);
    server = SSL_new(far_context);
    SSL_set_bio(server, received, sent);
    SSL_set_accept_state(server);
    while (SSL_do_handshake(wire.ssl) != 1 || SSL_do_handshake(server) != 1) {
        give_back(received);
        (void)SSL_do_handshake(server);
        give(SSL_is_init_finished(wire.ssl) ? 0 : RECORD);
    }
}

static void finish(void)
{
    wire_close(&wire);
    SSL_free(server);
    (void)close(far);
    SSL_CTX_free(near_context);
    SSL_CTX_free(far_context);
}

static void test_tickets_without_end(void **state)
{
    uint64_t begun, before;
    ssize_t got;
    int unread = 0;

    (void)state;
    begin(TICKETS);
    assert_true(BIO_pending(sent) > ALL_READS + 2 * ONE_READ);
    before = begun = BIO_number_read(SSL_get_rbio(wire.ssl));
    give(ONE_READ + RECORD);
    assert_int_equal(wire_read(&wire, data, sizeof data), WIRE_LATER);
    assert_in_range(BIO_number_read(SSL_get_rbio(wire.ssl)) - before, 1, ONE_READ);
    assert_int_equal(ioctl(wire.watch.fd, FIONREAD, &unread), 0);
    assert_true(unread > 0); /* so the descriptor is still readable */
    do {
        give(ONE_READ + RECORD);
        got = wire_read(&wire, data, sizeof data);
    } while (got == WIRE_LATER && BIO_pending(sent));
    assert_int_equal(got, WIRE_BROKEN);
    assert_in_range(BIO_number_read(SSL_get_rbio(wire.ssl)) - begun, ALL_READS, ALL_READS + ONE_READ);
    finish();
}

static void test_hello_requests_without_end(void **state)
{
    static const char record[] = {0x16, 3, 3, 0, 1, 0}; /* a byte of a HelloRequest, which is four zeros */
    int fd[2], one, unread = 0;

    (void)state;
    contexts_make();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    wire = (struct wire)WIRE_INIT;
    wire.watch.fd = fd[0];
    wire.ssl = SSL_new(near_context);
    assert_int_equal(SSL_set_fd(wire.ssl, fd[0]), 1);
    SSL_set_connect_state(wire.ssl);
    for (size_t i = 0; i < RECORD; i++)
        data[i] = record[i % sizeof record];
    for (size_t n = 0; n < ONE_READ + RECORD; n += RECORD / sizeof record * sizeof record)
        assert_true(send(fd[1], data, RECORD / sizeof record * sizeof record, 0) > 0);
    one = wire_handshake(&wire);
    assert_int_equal(SSL_get_error(wire.ssl, one), SSL_ERROR_WANT_READ);
    assert_int_equal(ioctl(fd[0], FIONREAD, &unread), 0);
    assert_true(unread > 0);
    wire_close(&wire);
    (void)close(fd[1]);
    SSL_CTX_free(near_context);
    SSL_CTX_free(far_context);
}

static void test_parts_of_records(void **state)
{
    (void)state;
    begin(2);
    for (size_t n = 0; n < 4 * ALL_READS; n += RECORD) {
        assert_int_equal(SSL_write(server, data, RECORD), RECORD);
        give(RECORD / 2);
        assert_int_equal(wire_read(&wire, data, sizeof data), WIRE_LATER);
        give(2 * RECORD);
        assert_int_equal(wire_read(&wire, data, sizeof data), RECORD);
    }
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickets_without_end),
        cmocka_unit_test(test_hello_requests_without_end),
        cmocka_unit_test(test_parts_of_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
