/* SPDX-License-Identifier: MIT */
/* A TLS session is resumed only at the address where it was created, not even at another server that could
 * resume it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/mem.h>
#include <mysql/tls.h>

#include "self_signed.h"

static SSL_CTX *servers; /* used at all addresses, so they have the same ticket keys */

struct pair {
    int client, server;
};

static struct pair connect_to(const char *address)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    static in_port_t port;
    struct pair p = {.client = socket(AF_INET, SOCK_STREAM, 0)};
    int one = 1;

    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    at.sin_port = port; /* the same one at each address */
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    port = at.sin_port;
    assert_int_equal(connect(p.client, (struct sockaddr *)&at, sizeof at), 0);
    p.server = accept(listener, NULL, NULL);
    (void)close(listener);
    (void)fcntl(p.client, F_SETFL, O_NONBLOCK);
    (void)fcntl(p.server, F_SETFL, O_NONBLOCK);
    return p;
}

/* Connects, and returns whether the session was resumed. The client reads one byte, and with it the server's
 * tickets. Then the server closes, after a close_notify if `notifies`. */
static bool resumed_at(const char *address, bool notifies)
{
    struct pair p = connect_to(address);
    struct err e = ERR_INIT;
    SSL *client = tls_new(p.client, &e), *server = SSL_new(servers);
    char byte = 0;
    bool sent = false;

    assert_non_null(client);
    assert_int_equal(SSL_set_fd(server, p.server), 1);
    SSL_set_accept_state(server);
    for (int i = 0; i < 100000 && SSL_read(client, &byte, 1) != 1; i++) {
        if (SSL_do_handshake(server) == 1 && !sent)
            sent = SSL_write(server, "x", 1) == 1;
    }
    assert_int_equal(byte, 'x');
    bool resumed = SSL_session_reused(client);
    tls_established(client);
    if (notifies)
        (void)SSL_shutdown(server);
    (void)close(p.server);
    int ended = SSL_read(client, &byte, 1);
    assert_int_equal(SSL_get_error(client, ended), SSL_ERROR_ZERO_RETURN);
    (void)SSL_shutdown(client); /* otherwise the session would not be reused */
    SSL_free(client);
    SSL_free(server);
    (void)close(p.client);
    return resumed;
}

static void resumed_only_at_the_same_address(void **state)
{
    static struct tls_options options = {.level = KEEPER_TLS_ENCRYPT};
    struct err e = ERR_INIT;

    (void)state;
    servers = self_signed_server();
    assert_int_equal(tls_prepare(&options, &e), 0);
    assert_false(resumed_at("127.0.0.1", true));
    assert_true(resumed_at("127.0.0.1", false));
    assert_true(resumed_at("127.0.0.1", true));
    assert_false(resumed_at("127.0.0.2", false));
    assert_true(resumed_at("127.0.0.2", true));
    assert_false(resumed_at("127.0.0.1", true));
    SSL_CTX_free(servers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(resumed_only_at_the_same_address)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
