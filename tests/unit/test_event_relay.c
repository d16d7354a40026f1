/* SPDX-License-Identifier: MIT */
/* Copying in both directions: all bytes arrive in order however much either side takes at once, the client's
 * end of file is passed on, the server's ends the relay, and no more is read than the other side takes. */
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
#include <event/relay.h>

#define TOTAL (12 * 1024 * 1024)
/* What the relay and the sockets' own buffers may hold of the data in one direction. */
#define IN_BETWEEN (1024 * 1024)

static struct relay relay;
static int far[2]; /* the other ends of its wires */
static bool ended, turned;

static void relay_ended(struct relay *r)
{
    relay_release(r);
    ended = true;
}

static void begin(void)
{
    relay_init(&relay);
    ended = false;
    for (int i = 0; i < 2; i++) {
        int fd[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
        relay.wire[i].watch.fd = fd[0];
        far[i] = fd[1];
    }
}

static void finish(void)
{
    if (!ended)
        relay_release(&relay);
    for (int i = 0; i < 2; i++)
        fd_close_cleanup(&far[i]);
}

static void tick(struct timer *t)
{
    (void)t;
    turned = true;
}

static void turn(int64_t ms)
{
    struct timer t = {0};

    turned = false;
    timer_set(&t, clock_ms() + ms, tick);
    loop_until(&turned);
    timer_clear(&t);
}

/* The test data, which does not repeat within the distances that matter. */
static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 2654435761u >> 13);
}

struct stream {
    size_t written, read;
};

static void put_some(struct stream *s, int fd, size_t most)
{
    unsigned char bytes[8192];

    while (s->written < most) {
        size_t n = most - s->written < sizeof bytes ? most - s->written : sizeof bytes;
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_at(s->written + i);
        ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);
        if (done <= 0)
            return;
        s->written += (size_t)done;
    }
}

/* Returns false at end of file. */
static bool get_some(struct stream *s, int fd, size_t most)
{
    unsigned char bytes[8192];

    while (most > 0) {
        ssize_t n = recv(fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
        if (n <= 0)
            return n != 0;
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], byte_at(s->read + (size_t)i));
        s->read += (size_t)n;
        most -= (size_t)n;
    }
    return true;
}

static void both_directions(void **state)
{
    struct stream up = {0}, down = {0};

    (void)state;
    begin();
    relay_start(&relay, relay_ended);
    while (up.read < TOTAL || down.read < TOTAL) {
        put_some(&up, far[CLIENT], TOTAL);
        put_some(&down, far[SERVER], TOTAL);
        turn(0);
        assert_true(get_some(&up, far[SERVER], 100000) && get_some(&down, far[CLIENT], 300000));
    }
    assert_false(ended);
    assert_int_equal(relay.flow[CLIENT].held.cap + relay.flow[SERVER].held.cap, 0);
    finish();
}

/* If the client does not read, the server cannot send, and the relay holds little data meanwhile. */
static void backpressure(void **state)
{
    struct stream down = {0};

    (void)state;
    begin();
    relay_start(&relay, relay_ended);
    for (int i = 0; i < 20; i++) {
        put_some(&down, far[SERVER], TOTAL);
        turn(1);
    }
    assert_true(down.written < IN_BETWEEN);
    assert_true(relay.flow[SERVER].held.len > 0 && relay.flow[SERVER].held.cap < IN_BETWEEN);
    while (down.read < TOTAL) {
        put_some(&down, far[SERVER], TOTAL);
        assert_true(get_some(&down, far[CLIENT], 50000));
        turn(0);
    }
    finish();
}

static void sends_held_data_first(void **state)
{
    struct stream up = {.written = 3}, down = {.written = 5};

    (void)state;
    begin();
    for (size_t i = 0; i < 5; i++) {
        if (i < 3)
            buf_putc(&relay.flow[CLIENT].held, (char)byte_at(i));
        buf_putc(&relay.flow[SERVER].held, (char)byte_at(i));
    }
    put_some(&up, far[CLIENT], 1000);
    put_some(&down, far[SERVER], 1000);
    relay_start(&relay, relay_ended);
    turn(1);
    assert_true(get_some(&up, far[SERVER], 2000) && get_some(&down, far[CLIENT], 2000));
    assert_true(up.read == 1000 && down.read == 1000);
    finish();
}

static void client_end_of_file_is_passed_on(void **state)
{
    struct stream up = {0}, down = {0};

    (void)state;
    begin();
    relay_start(&relay, relay_ended);
    put_some(&up, far[CLIENT], 100000);
    assert_int_equal(shutdown(far[CLIENT], SHUT_WR), 0);
    while (get_some(&up, far[SERVER], 4096))
        turn(0);
    assert_int_equal(up.read, 100000);
    /* The server's answer still arrives. */
    while (down.read < TOTAL) {
        put_some(&down, far[SERVER], TOTAL);
        turn(0);
        assert_true(get_some(&down, far[CLIENT], 300000));
    }
    assert_false(ended);
    assert_int_equal(shutdown(far[SERVER], SHUT_WR), 0);
    turn(1);
    assert_true(ended);
    finish();
}

static void server_close_ends_relay(void **state)
{
    struct stream down = {0};
    int64_t began = clock_ms();

    (void)state;
    begin();
    relay_start(&relay, relay_ended);
    put_some(&down, far[SERVER], 300000);
    size_t sent = down.written;
    fd_close_cleanup(&far[SERVER]);
    far[SERVER] = -1;
    while (get_some(&down, far[CLIENT], 1000))
        turn(0);
    assert_int_equal(down.read, sent);
    while (!ended && clock_ms() - began < 20000)
        turn(50);
    assert_true(ended);
    finish();
}

/* The client has closed while the server still sends. */
static void client_close_ends_relay(void **state)
{
    struct stream down = {0};

    (void)state;
    begin();
    relay_start(&relay, relay_ended);
    fd_close_cleanup(&far[CLIENT]);
    far[CLIENT] = -1;
    turn(1);
    put_some(&down, far[SERVER], 1000);
    turn(1);
    assert_true(ended);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions),         cmocka_unit_test(backpressure),
        cmocka_unit_test(sends_held_data_first),   cmocka_unit_test(client_end_of_file_is_passed_on),
        cmocka_unit_test(server_close_ends_relay), cmocka_unit_test(client_close_ends_relay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
