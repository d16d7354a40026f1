/* SPDX-License-Identifier: MIT */
/* COM_CHANGE_USER is found where a command begins, and nowhere else, in whatever pieces the bytes arrive.
 * Then the connection ends with an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/mem.h>
#include <mysql/commands.h>
#include <mysql/packet.h>

#define CHANGE                                                                                               \
    "\x11"                                                                                                   \
    "app\0"
#define REFUSAL "\xff\x17\x04#08S01broker: COM_CHANGE_USER is not possible here; connect again"

static struct relay_filter *filter;
static struct buf last = BUF_INIT(1024);

/* Passes `b` to the filter in pieces of this size. Returns whether all of it may pass; *passed is the number
 * of bytes that may. */
static bool passes(const struct buf *b, size_t piece, bool heard, size_t *passed)
{
    *passed = 0;
    for (size_t at = 0; at < b->len;) {
        size_t n = piece < b->len - at ? piece : b->len - at;
        char *copy = mem_alloc(n, 1);
        memcpy(copy, b->data + at, n);
        size_t done = filter->pass(filter, copy, n, heard, &last);
        free(copy);
        at += n;
        *passed += done;
        heard = false;
        if (done < n)
            return false;
    }
    return true;
}

static void refused(void)
{
    AUTO_BUF(wanted, 256);

    packet_put(&wanted, 1, REFUSAL, sizeof REFUSAL - 1);
    assert_int_equal(last.len, wanted.len);
    assert_memory_equal(last.data, wanted.data, wanted.len);
    buf_clear(&last);
}

static void begin(void)
{
    filter = commands_new();
    buf_clear(&last);
}

static void finish(void)
{
    filter->release(filter);
    buf_release(&last);
}

static void at_start_of_command(void **state)
{
    AUTO_BUF(b, 65536);
    AUTO_BUF(before, 65536);
    size_t passed;

    (void)state;
    packet_put(&before, 0, "\x03select 1", 9);
    packet_put(&before, 0, "\x1f", 1); /* COM_RESET_CONNECTION */
    packet_put(&before, 0, "", 0);
    packet_put(&before, 1, CHANGE, 5); /* does not begin a command */
    buf_add(&b, before.data, before.len);
    packet_put(&b, 0, CHANGE, 5);
    packet_put(&b, 0, "\x03select 2", 9);
    for (size_t piece = 1; piece <= b.len; piece++) {
        begin();
        assert_false(passes(&b, piece, false, &passed));
        /* A part of its header may have passed, if it arrived in several pieces. */
        assert_true(passed >= before.len && passed <= before.len + PACKET_HEADER);
        if (piece == b.len)
            assert_int_equal(passed, before.len);
        refused();
        finish();
    }
}

static void not_at_start_of_command(void **state)
{
    AUTO_BUF(b, 65536);
    size_t passed;

    (void)state;
    packet_put(&b, 0, "\x03select '\x11\x05\0\0\0\x11'", 16);
    packet_put(&b, 0, "", 0);
    packet_put(&b, 0, "\x16\x11", 2);
    packet_put(&b, 2, CHANGE, 5);
    for (size_t piece = 1; piece <= b.len; piece++) {
        begin();
        assert_true(passes(&b, piece, false, &passed));
        assert_int_equal(passed, b.len);
        assert_int_equal(last.len, 0);
        finish();
    }
}

/* A file for LOAD DATA, in so many packets that their sequence numbers wrap around. */
static void file_put(struct buf *b)
{
    packet_put(b, 0, "\x03load data", 10);
    for (unsigned i = 2; i < 600; i++)
        packet_put(b, (uint8_t)i, CHANGE, 5);
    packet_put(b, (uint8_t)600, "", 0);
}

static void numbers_wrap_around(void **state)
{
    static const size_t pieces[] = {1, 3, 9, 128, 1000, 60000};
    size_t passed;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        AUTO_BUF(b, 65536);
        AUTO_BUF(command, 64);
        file_put(&b);
        begin();
        assert_true(passes(&b, pieces[i], false, &passed));
        packet_put(&command, 0, CHANGE, 5);
        assert_false(passes(&command, pieces[i], true, &passed));
        refused();
        finish();
    }
}

/* The file's last packet has number 255. The server answers, so the next packet begins a command. */
static void numbers_wrap_around_after_answer(void **state)
{
    AUTO_BUF(b, 65536);
    AUTO_BUF(command, 64);
    size_t passed;

    (void)state;
    packet_put(&b, 255, "", 0);
    packet_put(&command, 0, CHANGE, 5);
    begin();
    assert_true(passes(&b, 100, true, &passed));
    assert_false(passes(&command, 100, true, &passed));
    refused();
    assert_true(passes(&b, 100, false, &passed));
    finish();
}

/* A packet of the maximal size, 16 MiB less one byte; the command continues in the next packet. */
static void longest_packet(void **state)
{
    const size_t most = 0xffffff;
    AUTO_BUF(b, 20 * 1024 * 1024);
    char *body = mem_alloc(most, 1);
    size_t passed;

    (void)state;
    memset(body, 0x11, most);
    body[0] = 0x03;
    packet_put(&b, 0, body, most);
    packet_put(&b, 1, body + 1, 5);
    packet_put(&b, 0, CHANGE, 5);
    begin();
    assert_false(passes(&b, 128 * 1024, false, &passed));
    refused();
    finish();
    free(body);
}

/* In a relay: earlier commands are passed on, the client gets the error, and both connections are closed. */
static bool over;

static void ended(struct relay *r)
{
    relay_release(r);
    over = true;
}

static void relayed(bool early)
{
    static struct relay r;
    int client[2], server[2];
    char got[256];
    AUTO_BUF(sent, 256);
    AUTO_BUF(wanted, 256);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, client), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server), 0);
    relay_init(&r);
    r.wire[CLIENT].watch.fd = client[0];
    r.wire[SERVER].watch.fd = server[0];
    r.filter = commands_new();
    packet_put(&sent, 0, "\x03select 1", 9);
    packet_put(&sent, 0, CHANGE, 5);
    packet_put(&wanted, 1, REFUSAL, sizeof REFUSAL - 1);
    if (early)
        buf_add(&r.flow[CLIENT].held, sent.data, sent.len);
    else
        assert_int_equal(write(client[1], sent.data, sent.len), sent.len);
    over = false;
    relay_start(&r, ended);
    loop_until(&over);
    assert_int_equal(read(server[1], got, sizeof got), 13);
    assert_memory_equal(got, sent.data, 13);
    assert_int_equal(read(server[1], got, sizeof got), 0);
    assert_int_equal(read(client[1], got, sizeof got), wanted.len);
    assert_memory_equal(got, wanted.data, wanted.len);
    assert_int_equal(read(client[1], got, sizeof got), 0);
    (void)close(client[1]);
    (void)close(server[1]);
}

static void in_a_relay(void **state)
{
    (void)state;
    relayed(false);
    relayed(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_start_of_command),
        cmocka_unit_test(not_at_start_of_command),
        cmocka_unit_test(numbers_wrap_around),
        cmocka_unit_test(longest_packet),
        cmocka_unit_test(numbers_wrap_around_after_answer),
        cmocka_unit_test(in_a_relay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
