/* SPDX-License-Identifier: MIT */
/* The keeper itself logs in, over sockets: what the client and the server get and when, another try over
 * another stream, and the timeouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <mysql/login_proxy.h>
#include <mysql/packet.h>

#define OK "\x07\0\0\x02\0\0\0\x02\0\0\0"
#define DENIED "\x0f\0\0\x02\xff\x15\x04#28000denied"
/* With PROTOCOL_41, SECURE_CONNECTION and LOCAL_FILES. */
#define GREETING                                                                                             \
    "\x34\0\0\0\x0a"                                                                                         \
    "8.0.36\0"                                                                                               \
    "\x07\0\0\0"                                                                                             \
    "abcdefgh\0\x80\x82\x2d\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0"
#define ANSWER "\x24\0\0\x01\x81\x82\0\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0me\0\0"

static struct relay relay;
static int client, server;
static unsigned proofs, results[3];
static bool woken;
static struct tls_options tls = {.level = KEEPER_TLS_NONE};
static struct login_options options;

static void proved(struct relay *r)
{
    assert_ptr_equal(r, &relay);
    proofs++;
}

static void done(struct relay *r, enum login_result result)
{
    assert_ptr_equal(r, &relay);
    results[result]++;
    woken = true;
}

static int stream(int *other_end)
{
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    *other_end = fd[1];
    return fd[0];
}

static struct login_credential *credential(const char *user)
{
    return login_credential_new(mem_strdup(user), secret_from("canary", 6));
}

static struct secret *run_password;

static void start(int64_t connect_timeout)
{
    static const struct login_events events = {.proved = proved, .done = done};
    struct login_credential *as = credential("app");

    options = (struct login_options){.server = "db:3306", .tls = &tls, .connect_timeout = connect_timeout};
    proofs = 0;
    memset(results, 0, sizeof results);
    relay_init(&relay);
    relay.wire[CLIENT].watch.fd = stream(&client);
    relay.wire[SERVER].watch.fd = stream(&server);
    login_start(&relay, &options, as, run_password, clock_ms() + connect_timeout, &events);
    login_credential_drop(as);
}

static void finish(void)
{
    login_end(&relay);
    relay_release(&relay);
    fd_close_cleanup(&client);
    fd_close_cleanup(&server);
}

static void write_to(int fd, const char *bytes, size_t n)
{
    assert_int_equal(write(fd, bytes, n), n);
}

#define WRITE_TO(fd, bytes) write_to(fd, bytes, sizeof(bytes) - 1)

static void tick(struct timer *t)
{
    (void)t;
    woken = true;
}

/* Runs the event loop and reads until there are at least n bytes, or, if n is 0, until end of file. */
static size_t read_from(int fd, char *to, size_t room, size_t n)
{
    size_t got = 0;

    for (int i = 0; i < 20000 && (n == 0 || got < n); i++) {
        struct timer t = {0};
        ssize_t some = read(fd, to + got, room - got);
        if (some == 0)
            return got;
        got += some > 0 ? (size_t)some : 0;
        woken = false;
        timer_set(&t, clock_ms() + 1, tick);
        loop_until(&woken);
        timer_clear(&t);
    }
    assert_true(n != 0 && got >= n);
    return got;
}

/* Sends the server's greeting and the client's answer. */
static void greet_and_answer(void)
{
    char got[512];

    WRITE_TO(server, GREETING);
    assert_int_equal(read_from(client, got, sizeof got, sizeof GREETING - 1), sizeof GREETING - 1);
    assert_int_equal(proofs, 0);
    WRITE_TO(client, ANSWER);
}

static void read_answer(const char *user)
{
    char got[512];
    size_t n = read_from(server, got, sizeof got, 40);

    assert_non_null(memmem(got, n, user, strlen(user) + 1));
    assert_null(memmem(got, n, "canary", 6));
    assert_int_equal(proofs, 1);
}

static void wait_done(void)
{
    for (int i = 0; i < 1000 && results[0] + results[1] + results[2] == 0; i++) {
        woken = false;
        loop_until(&woken);
    }
}

static void read_ok(void)
{
    char got[64];

    assert_int_equal(read_from(client, got, sizeof got, sizeof OK - 1), sizeof OK - 1);
    assert_memory_equal(got, OK, sizeof OK - 1);
}

static void accepted(void **state)
{
    (void)state;
    start(600000);
    greet_and_answer();
    read_answer("app");
    WRITE_TO(server, OK);
    wait_done();
    assert_int_equal(results[LOGIN_DONE], 1);
    read_ok();
    assert_non_null(relay.filter);
    assert_null(relay.login);
    finish();
}

/* The server refuses the credential. Its connection is closed, and the client gets nothing yet. */
static void server_refuses(void)
{
    char byte;

    start(600000);
    greet_and_answer();
    read_answer("app");
    WRITE_TO(server, DENIED);
    wait_done();
    assert_int_equal(results[LOGIN_REFUSED], 1);
    assert_int_equal(relay.wire[SERVER].watch.fd, -1);
    assert_int_equal(read(server, &byte, 1), 0);
    assert_int_equal(read(client, &byte, 1), -1);
    memset(results, 0, sizeof results);
    fd_close_cleanup(&server);
    server = -1;
}

static void retried(void **state)
{
    struct login_credential *as = credential("app2");

    (void)state;
    server_refuses();
    relay.wire[SERVER].watch.fd = stream(&server);
    login_retry(&relay, as, clock_ms() + 600000);
    login_credential_drop(as);
    WRITE_TO(server, GREETING);
    read_answer("app2");
    WRITE_TO(server, OK);
    wait_done();
    assert_int_equal(results[LOGIN_DONE], 1);
    assert_int_equal(proofs, 1);
    read_ok();
    finish();
}

static void refused(bool ours)
{
    struct err e = ERR_INIT;
    char got[512];

    server_refuses();
    (void)err_set(&e, ERR_LOGIN, "log in again");
    login_tell(&relay, ours ? &e : NULL);
    size_t n = read_from(client, got, sizeof got, 0);
    assert_non_null(memmem(got, n, ours ? "broker: log in again" : "#28000denied", ours ? 20 : 12));
    fd_close_cleanup(&client);
    client = -1;
    wait_done();
    assert_int_equal(results[LOGIN_FAILED], 1);
    finish();
}

static void error_sent_to_client(void **state)
{
    (void)state;
    refused(true);
    refused(false);
}

/* The client closes while it is waiting after a refusal. */
static void client_closes(void **state)
{
    (void)state;
    server_refuses();
    fd_close_cleanup(&client);
    client = -1;
    wait_done();
    assert_int_equal(results[LOGIN_FAILED], 1);
    finish();
}

/* Returns whether the client gets this error if the greeting and the answer, if any, are sent at once, and
 * then nothing more. */
static bool timeout_gives(bool greets, bool answers, const char *message)
{
    char got[1024];

    start(50);
    if (greets)
        WRITE_TO(server, GREETING);
    if (answers)
        WRITE_TO(client, ANSWER);
    size_t n = read_from(client, got, sizeof got, 0);
    finish();
    return memmem(got, n, message, strlen(message));
}

/* Timeouts: a silent server before and after our answer, a silent client. On a busy machine the time may be
 * over before the data is read; then the case is tried again. */
static void timeouts(void **state)
{
    static const struct {
        bool greets, answers;
        const char *message;
    } rows[] = {{false, false, "2013 db:3306: no greeting within 50ms"},
                {true, false, "the client did not answer within 50ms"},
                {true, true, "2013 db:3306: no answer during the login within 300ms"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int tries = 0;
        while (!timeout_gives(rows[i].greets, rows[i].answers, rows[i].message))
            assert_true(tries++ < 50);
    }
}

static void server_closes(void **state)
{
    char got[1024];

    (void)state;
    start(600000);
    greet_and_answer();
    read_answer("app");
    fd_close_cleanup(&server);
    server = -1;
    size_t n = read_from(client, got, sizeof got, 0);
    assert_non_null(memmem(got, n, "2013 db:3306: the server closed the connection during the login", 48));
    finish();
}

/* A server counts greetings that are not answered, and would block this host after a number of them. So the
 * keeper answers as a user that does not exist, without a password, if the client does not prove that it may
 * connect (0), is not a MySQL client (1), has closed (2), or does not answer in time (3). */
static void greeting_is_answered_on_failure(void **state)
{
    static const char body[] = "\x01\x82\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "broker: not logged in\0";

    (void)state;
    run_password = secret_from("run", 3);
    for (int how = 0; how < 4; how++) {
        char got[512];
        start(how == 3 ? 50 : 600000);
        WRITE_TO(server, GREETING);
        (void)read_from(client, got, sizeof got, sizeof GREETING - 1);
        if (how == 0)
            WRITE_TO(client, ANSWER);
        if (how == 1)
            WRITE_TO(client, "\x0e\0\0\x01GET / HTTP/1.1");
        if (how == 2) {
            fd_close_cleanup(&client);
            client = -1;
        }
        if (how == 2)
            wait_done();
        if (how == 2)
            relay_release(&relay);
        size_t n = read_from(server, got, sizeof got, 0);
        assert_int_equal(n, 4 + sizeof body);
        assert_memory_equal(got, "\x37\0\0\x01", 4);
        assert_memory_equal(got + 4, body, sizeof body);
        assert_int_equal(proofs, 0);
        finish();
    }
    secret_free(run_password);
    run_password = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(retried),
        cmocka_unit_test(error_sent_to_client),
        cmocka_unit_test(client_closes),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(greeting_is_answered_on_failure),
        cmocka_unit_test(server_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
