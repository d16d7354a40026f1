/* SPDX-License-Identifier: MIT */
/* Records: what is written can be read again; malformed records are refused; a deadline that has passed, and
 * a reader that has closed its end, are errors. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <ipc/record.h>

enum { TAG_A = 1, TAG_B, TAG_C };

static void serialise(const struct record *r, struct buf *out)
{
    size_t length = r->body.len + 2;
    char header[RECORD_HEADER] = {(char)(length >> 24), (char)(length >> 16), (char)(length >> 8),
                                  (char)length,         (char)RECORD_VERSION, (char)r->kind};

    buf_add(out, header, sizeof header);
    buf_add(out, buf_str(&r->body), r->body.len);
}

static void fields_come_back_in_order(void **state)
{
    AUTO_RECORD(r);
    AUTO_SECRET(secret);
    AUTO_SECRET(again);
    struct err e = ERR_INIT;
    struct field f;
    size_t offset = 0;

    (void)state;
    secret = secret_from("s\0t", 3);
    record_put_str(&r, TAG_A, "first");
    record_put_str(&r, TAG_B, NULL);
    record_put_u64(&r, TAG_B, UINT64_C(0xfedcba9876543210));
    record_put_secret(&r, TAG_C, secret);
    record_put(&r, TAG_A, NULL, 0);
    assert_int_equal(record_next(&r, &offset, &f, &e), 1);
    assert_int_equal(f.tag, TAG_A);
    assert_int_equal(f.len, 5);
    assert_memory_equal(f.bytes, "first", 5);
    assert_int_equal(record_next(&r, &offset, &f, &e), 1);
    assert_int_equal(f.tag, TAG_B);
    assert_memory_equal(f.bytes, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
    assert_int_equal(record_next(&r, &offset, &f, &e), 1);
    assert_int_equal(record_next(&r, &offset, &f, &e), 1);
    assert_int_equal(f.tag, TAG_A);
    assert_int_equal(f.len, 0);
    assert_int_equal(record_next(&r, &offset, &f, &e), 0);
    assert_true(record_u64(&r, TAG_B, 1) == UINT64_C(0xfedcba9876543210));
    again = record_secret(&r, TAG_C);
    assert_true(secret_equal(secret, again));
}

static void absent_and_malformed_fields(void **state)
{
    AUTO_RECORD(r);
    AUTO_FREE(char *, cut);
    AUTO_FREE(char *, big);
    struct field f;

    (void)state;
    assert_false(record_find(&r, TAG_A, &f));
    assert_null(record_str(&r, TAG_A));
    assert_null(record_secret(&r, TAG_A));
    assert_int_equal(record_u64(&r, TAG_A, 7), 7);
    record_put(&r, TAG_A, "four", 4);
    assert_int_equal(record_u64(&r, TAG_A, 7), 7);
    record_put(&r, TAG_B, "a\0b", 3);
    cut = record_str(&r, TAG_B);
    assert_string_equal(cut, "a");
    big = mem_alloc(SECRET_MAX + 1, 1);
    record_put(&r, TAG_C, big, SECRET_MAX + 1);
    assert_true(record_find(&r, TAG_C, &f));
    assert_null(record_secret(&r, TAG_C));
}

static void an_empty_secret_is_not_absent(void **state)
{
    AUTO_RECORD(r);
    AUTO_SECRET(empty);
    AUTO_SECRET(got);

    (void)state;
    empty = secret_new(0);
    record_put_secret(&r, TAG_A, empty);
    got = record_secret(&r, TAG_A);
    assert_non_null(got);
    assert_int_equal(secret_len(got), 0);
}

static void the_longest_secret_comes_back(void **state)
{
    AUTO_FREE(char *, bytes);
    AUTO_RECORD(r);
    AUTO_SECRET(got);

    (void)state;
    bytes = mem_alloc(SECRET_MAX, 1);
    record_put(&r, TAG_A, bytes, SECRET_MAX);
    got = record_secret(&r, TAG_A);
    assert_non_null(got);
    assert_int_equal(secret_len(got), SECRET_MAX);
    r.kind = 7;
    record_release(&r);
    assert_int_equal(r.kind, 0);
}

static void errors_arrive_unchanged(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT, got = ERR_INIT;

    (void)state;
    (void)err_set_numbered(&e, ERR_LOGIN, 1045, "the keychain is %s", "locked");
    (void)err_what(&e, "shop");
    (void)err_detail(&e, "one");
    (void)err_detail(&e, "two");
    (void)err_hint(&e, "unlock it");
    record_put_str(&r, TAG_A, "half an answer");
    record_put_error(&r, &e);
    assert_int_equal(r.kind, RECORD_ERROR);
    assert_int_equal(record_error(&r, &got), -1);
    assert_int_equal(got.code, ERR_LOGIN);
    assert_string_equal(got.what, "shop");
    assert_int_equal(got.number, 1045);
    assert_string_equal(got.msg, "1045 the keychain is locked");
    assert_string_equal(got.detail, "one\ntwo\n");
    assert_string_equal(got.hint, "unlock it");
}

static void error_texts_are_truncated_to_fit(void **state)
{
    static char huge[8192];
    AUTO_RECORD(r);
    struct err e = ERR_INIT;

    (void)state;
    memset(huge, 'x', sizeof huge);
    r.kind = RECORD_ERROR;
    record_put_u64(&r, ERR_TAG_CODE, ERR_REFUSED);
    for (uint8_t tag = ERR_TAG_WHAT; tag <= ERR_TAG_HINT; tag++)
        record_put(&r, tag, huge, sizeof huge);
    (void)record_error(&r, &e);
    assert_int_equal(e.code, ERR_REFUSED);
    assert_int_equal(strlen(e.what), sizeof e.what - 1);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_int_equal(strlen(e.detail), sizeof e.detail - 1);
    assert_int_equal(strlen(e.hint), sizeof e.hint - 1);
    assert_int_equal(e.number, 0);
}

/* The text is one byte too long: its NUL must not be written past the end of the array. */
static void an_error_text_that_is_one_byte_too_long(void **state)
{
    static char text[sizeof((struct err *)NULL)->what + 1];
    AUTO_RECORD(r);
    struct err e = ERR_INIT;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    r.kind = RECORD_ERROR;
    record_put_u64(&r, ERR_TAG_CODE, ERR_REFUSED);
    record_put_str(&r, ERR_TAG_WHAT, text);
    (void)record_error(&r, &e);
    assert_int_equal(strlen(e.what), sizeof e.what - 1);
}

static void each_code_is_known(void **state)
{
    static const enum err_code codes[] = {ERR_USAGE,  ERR_DATA,      ERR_UNREACHABLE,  ERR_BUG,
                                          ERR_IO,     ERR_TRY_LATER, ERR_PROTOCOL,     ERR_REFUSED,
                                          ERR_CONFIG, ERR_LOGIN,     ERR_NOT_RUNNABLE, ERR_NOT_FOUND};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        AUTO_RECORD(r);
        struct err e = ERR_INIT, got = ERR_INIT;
        (void)err_set(&e, codes[i], "x");
        record_put_error(&r, &e);
        assert_int_equal(record_error(&r, &got), -1);
        assert_int_equal(got.code, codes[i]);
    }
}

static void an_error_without_a_known_code_is_a_protocol_error(void **state)
{
    static const uint64_t codes[] = {0, 1, 63, 71, UINT64_C(0x100000000000004d), UINT64_MAX};

    (void)state;
    for (size_t i = 0; i <= ARRAY_LEN(codes); i++) {
        AUTO_RECORD(r);
        struct err e = ERR_INIT;
        r.kind = RECORD_ERROR;
        if (i < ARRAY_LEN(codes))
            record_put_u64(&r, ERR_TAG_CODE, codes[i]);
        assert_int_equal(record_error(&r, &e), -1);
        assert_int_equal(e.code, ERR_PROTOCOL);
    }
}

static void malformed_records_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } bad[] = {
        {"", 0, "a truncated record"},
        {"\0\0\0\2\1", 5, "a truncated record"},                          /* no kind */
        {"\0\0\0\1\1\1", 6, "not a record"},                              /* shorter than its own header */
        {"\0\0\0\0\1\1", 6, "not a record"},                              /* with a length of 0 */
        {"\0\0\0\2\2\1", 6, "a record has version 2 instead of 1"},       /* another version */
        {"\0\0\0\2\0\1", 6, "a record has version 0 instead of 1"},       /* another version */
        {"\0\0\0\3\1\1", 6, "a record has the wrong length"},             /* its length is too large */
        {"\0\0\0\2\1\1x", 7, "a record has the wrong length"},            /* its length is too small */
        {"\0\x10\0\1\1\1", 6, "not a record"},                            /* over the limit */
        {"\xff\xff\xff\xff\1\1", 6, "not a record"},                      /* far over it */
        {"\0\0\0\3\1\1\1", 7, "a record has a truncated field"},          /* a field's tag alone */
        {"\0\0\0\6\1\1\1\0\0\0", 10, "a record has a truncated field"},   /* a field without its length */
        {"\0\0\0\7\1\1\1\0\0\0\1", 11, "a record has a truncated field"}, /* a field without its byte */
        {"\0\0\0\10\1\1\1\xff\xff\xff\xff"
         "a",
         12, "a record has a truncated field"}, /* a field longer than the record */
        {"\0\0\0\11\1\1\1\0\0\0\1ab", 13, "a record has a truncated field"}, /* a byte after the last field */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_RECORD(r);
        struct err e = ERR_INIT;
        if (record_parse(bad[i].bytes, bad[i].n, &r, &e) == 0)
            fail_msg("case %zu was accepted", i);
        assert_int_equal(e.code, ERR_PROTOCOL);
        assert_string_equal(e.msg, bad[i].message);
    }
}

static void the_smallest_and_the_largest_record_are_accepted(void **state)
{
    AUTO_FREE(char *, bytes);
    AUTO_BUF(wire, 2 * RECORD_MAX);
    AUTO_RECORD(small);
    AUTO_RECORD(large);
    AUTO_RECORD(got);
    struct err e = ERR_INIT;
    size_t most = RECORD_MAX - 2 - FIELD_HEADER;

    (void)state;
    assert_int_equal(record_parse("\0\0\0\2\1\x10", 6, &small, &e), 0);
    assert_int_equal(small.kind, 16);
    assert_int_equal(small.body.len, 0);
    bytes = mem_alloc(most, 1);
    record_put(&large, TAG_A, bytes, most);
    serialise(&large, &wire);
    assert_int_equal(record_parse(buf_str(&wire), wire.len, &got, &e), 0);
    assert_int_equal(got.body.len, RECORD_MAX - 2);
}

/* Writes the bytes to a pipe, closes its writing end, and reads one record. */
static int read_bytes(const void *bytes, size_t n, struct record *r, struct err *e)
{
    int fds[2];

    assert_int_equal(fd_pipe(fds, e), 0);
    assert_int_equal(fd_write_all(fds[1], bytes, n), 0);
    (void)close(fds[1]);
    int got = record_read(fds[0], r, clock_deadline(1000, CLOCK_NEVER), e);
    (void)close(fds[0]);
    return got;
}

/* Writes the bytes to the pipe and returns the result of record_receive(). */
static int receive_after(int fds[2], const void *bytes, size_t n, struct buf *in, struct record *r)
{
    assert_int_equal(fd_write_all(fds[1], bytes, n), 0);
    return record_receive(fds[0], in, r);
}

static void a_record_may_arrive_in_pieces(void **state)
{
    static const char record[] = "\0\0\0\10\1\x10\1\0\0\0\1a";
    AUTO_RECORD(r);
    AUTO_BUF(in, 64);
    struct err e = ERR_INIT;
    struct field f;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(record_receive(fds[0], &in, &r), 0);
    for (size_t i = 0; i < 11; i++)
        assert_int_equal(receive_after(fds, record + i, 1, &in, &r), 0);
    assert_int_equal(receive_after(fds, "a and more", 10, &in, &r), 1);
    assert_int_equal(r.kind, 16);
    assert_true(record_find(&r, 1, &f) && f.len == 1 && *f.bytes == 'a');
    (void)close(fds[1]);
    assert_int_equal(record_receive(fds[0], &in, &r), -1);
    (void)close(fds[0]);
}

/* The record ends exactly where the received bytes and the buffer end. */
static void a_record_may_fill_the_buffer(void **state)
{
    static const char record[] = "\0\0\0\10\1\x10\1\0\0\0\1a";
    AUTO_RECORD(r);
    AUTO_BUF(in, sizeof record - 1);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(receive_after(fds, record, 4, &in, &r), 0);
    assert_int_equal(receive_after(fds, record + 4, sizeof record - 5, &in, &r), 1);
    assert_int_equal(r.kind, 16);
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_int_equal(record_receive(-1, &in, &r), -1);
}

/* A length that exceeds the buffer is refused before the rest has arrived. */
static void malformed_records_are_not_received(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"\0\0\0\0", 4},         {"\0\0\0\1\1", 5},   {"\0\0\0\75", 4},
        {"\xff\xff\xff\xff", 4}, {"\0\0\0\2\2\1", 6}, {"\0\0\0\3\1\1\1", 7},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_RECORD(r);
        AUTO_BUF(in, 64);
        struct err e = ERR_INIT;
        int fds[2];
        assert_int_equal(fd_pipe(fds, &e), 0);
        if (receive_after(fds, bad[i].bytes, bad[i].n, &in, &r) != -1)
            fail_msg("case %zu was accepted", i);
        (void)close(fds[0]);
        (void)close(fds[1]);
    }
}

static void end_of_file_is_not_truncation(void **state)
{
    static const char whole[] = "\0\0\0\10\1\x10\1\0\0\0\1a";

    (void)state;
    for (size_t n = 0; n < sizeof whole; n++) {
        AUTO_RECORD(r);
        struct err e = ERR_INIT;
        int got = read_bytes(whole, n, &r, &e);
        assert_int_equal(got, n == 0 ? 0 : n == 12 ? 1 : -1);
        assert_int_equal(e.code, got < 0 ? ERR_PROTOCOL : ERR_NONE);
    }
}

/* A missing body must not be read as a field of NUL bytes. */
static void a_missing_body_is_truncation(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(read_bytes("\0\0\0\7\1\x10", 6, &r, &e), -1);
    assert_string_equal(e.msg, "a truncated record");
    assert_int_equal(read_bytes("\0\0\0\1\1\x10", 6, &r, &e), -1);
    assert_string_equal(e.msg, "not a record");
}

static int late_pipe;

static void write_late(int sig)
{
    (void)sig;
    if (write(late_pipe, "\0\0\0\2\1\x10", 6) != 6)
        abort();
}

static void a_signal_does_not_interrupt_reading(void **state)
{
    struct sigaction act = {.sa_handler = write_late}, was;
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    late_pipe = fds[1];
    (void)sigaction(SIGALRM, &act, &was);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_int_equal(record_read(fds[0], &r, CLOCK_NEVER, &e), 1);
    assert_int_equal(r.kind, 16);
    (void)sigaction(SIGALRM, &was, NULL);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void a_failed_poll_is_an_error(void **state)
{
    struct rlimit was, none;
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0); /* poll(2) now fails */
    int got = record_read(fds[0], &r, clock_deadline(1000, CLOCK_NEVER), &e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(got, -1);
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.msg, strerror(EINVAL));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void a_failed_read_or_write_is_an_error(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), in = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(record_read(folder, &r, clock_deadline(1000, CLOCK_NEVER), &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.msg, strerror(EISDIR));
    err_clear(&e);
    assert_int_equal(record_write(in, &r, clock_deadline(1000, CLOCK_NEVER), &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.msg, strerror(EBADF));
    (void)close(folder);
    (void)close(in);
}

static void reading_takes_one_record_only(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    char rest[8];
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(fd_write_all(fds[1], "\0\0\0\2\1\x10next", 10), 0);
    assert_int_equal(record_read(fds[0], &r, CLOCK_NEVER, &e), 1);
    assert_int_equal(r.kind, 16);
    assert_int_equal(read(fds[0], rest, sizeof rest), 4);
    assert_memory_equal(rest, "next", 4);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void reading_replaces_the_previous_content(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;

    (void)state;
    record_put_str(&r, TAG_B, "old");
    assert_int_equal(read_bytes("\0\0\0\10\1\x10\1\0\0\0\1a", 12, &r, &e), 1);
    assert_int_equal(r.body.len, 6);
}

static void a_late_answer_is_an_error(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    assert_int_equal(fd_write_all(fds[1], "\0\0\0\10\1", 5), 0);
    int64_t start = clock_ms();
    assert_int_equal(record_read(fds[0], &r, clock_deadline(50, CLOCK_NEVER), &e), -1);
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_in_range(clock_ms() - start, 49, 15000);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void what_is_written_is_read(void **state)
{
    AUTO_RECORD(r);
    AUTO_RECORD(got);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    r.kind = RECORD_FIRST_VERB;
    record_put_str(&r, TAG_A, "a");
    record_put_str(&r, TAG_B, "");
    assert_int_equal(record_write(fds[1], &r, CLOCK_NEVER, &e), 0);
    assert_int_equal(record_read(fds[0], &got, CLOCK_NEVER, &e), 1);
    assert_int_equal(got.kind, RECORD_FIRST_VERB);
    assert_int_equal(got.body.len, r.body.len);
    assert_memory_equal(got.body.data, r.body.data, r.body.len);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Up to PIPE_BUF bytes are written at once, so the last write is of one byte. */
static void a_record_of_pipe_buf_plus_one_bytes(void **state)
{
    static char bytes[PIPE_BUF + 1 - FIELD_HEADER];
    AUTO_RECORD(r);
    AUTO_RECORD(got);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    memset(bytes, 'a', sizeof bytes);
    bytes[sizeof bytes - 1] = 'z';
    record_put(&r, TAG_A, bytes, sizeof bytes);
    assert_int_equal(record_write(fds[1], &r, clock_deadline(10000, CLOCK_NEVER), &e), 0);
    (void)close(fds[1]);
    assert_int_equal(record_read(fds[0], &got, CLOCK_NEVER, &e), 1);
    assert_int_equal(got.body.len, PIPE_BUF + 1);
    assert_memory_equal(got.body.data, r.body.data, r.body.len);
    assert_int_equal(record_read(fds[0], &got, CLOCK_NEVER, &e), 0);
    (void)close(fds[0]);
}

static void the_largest_record_is_written_and_none_larger(void **state)
{
    AUTO_FREE(char *, bytes);
    AUTO_RECORD(r);
    AUTO_RECORD(over);
    struct err e = ERR_INIT;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)state;
    bytes = mem_alloc(RECORD_MAX, 1);
    record_put(&r, TAG_A, bytes, RECORD_MAX - 2 - FIELD_HEADER);
    assert_int_equal(record_write(null, &r, CLOCK_NEVER, &e), 0);
    record_put(&over, TAG_A, bytes, RECORD_MAX - 1 - FIELD_HEADER);
    assert_true(buf_ok(&over.body));
    assert_int_equal(record_write(null, &over, CLOCK_NEVER, &e), -1);
    assert_int_equal(e.code, ERR_DATA);
    (void)close(null);
}

/* record_write() discards a pending SIGPIPE only if its own write has raised it. */
static void an_earlier_sigpipe_stays_pending(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    struct timespec at_once = {0};
    sigset_t pipe, was, pending;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)state;
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)sigprocmask(SIG_BLOCK, &pipe, &was);
    (void)raise(SIGPIPE);
    assert_int_equal(record_write(null, &r, CLOCK_NEVER, &e), 0);
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    (void)sigtimedwait(&pipe, NULL, &at_once);
    (void)sigprocmask(SIG_SETMASK, &was, NULL);
    (void)close(null);
}

static void a_reader_that_does_not_read_is_an_error(void **state)
{
    AUTO_FREE(char *, bytes);
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int fds[2];

    (void)state;
    bytes = mem_alloc(900000, 1);
    record_put(&r, TAG_A, bytes, 900000);
    assert_int_equal(fd_pipe(fds, &e), 0);
    int64_t start = clock_ms();
    assert_int_equal(record_write(fds[1], &r, clock_deadline(50, CLOCK_NEVER), &e), -1);
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_in_range(clock_ms() - start, 49, 15000);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static volatile sig_atomic_t pipes_seen;

static void count_pipe(int sig)
{
    (void)sig;
    pipes_seen = pipes_seen + 1;
}

static void a_closed_reader_is_an_error_without_sigpipe(void **state)
{
    struct sigaction count = {.sa_handler = count_pipe}, was;
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    sigset_t before, after;
    int fds[2];

    (void)state;
    assert_int_equal(fd_pipe(fds, &e), 0);
    (void)close(fds[0]);
    (void)sigaction(SIGPIPE, &count, &was);
    (void)sigprocmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(record_write(fds[1], &r, CLOCK_NEVER, &e), -1);
    (void)sigprocmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(e.code, ERR_PROTOCOL);
    assert_int_equal(pipes_seen, 0);
    assert_int_equal(sigismember(&after, SIGPIPE), sigismember(&before, SIGPIPE));
    (void)raise(SIGPIPE);
    assert_int_equal(pipes_seen, 1);
    (void)sigaction(SIGPIPE, &was, NULL);
    (void)close(fds[1]);
}

static void no_part_of_a_record_that_is_too_large_is_written(void **state)
{
    AUTO_FREE(char *, bytes);
    struct err e = ERR_INIT;
    int fds[2];
    char byte;

    (void)state;
    bytes = mem_alloc(RECORD_MAX, 1);
    assert_int_equal(fd_pipe(fds, &e), 0);
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    for (size_t n = RECORD_MAX - 1 - FIELD_HEADER; n <= RECORD_MAX; n += 3) {
        AUTO_RECORD(r);
        record_put(&r, TAG_A, bytes, n);
        record_put_str(&r, TAG_B, "fits again");
        assert_int_equal(record_write(fds[1], &r, clock_deadline(1000, CLOCK_NEVER), &e), -1);
        assert_int_equal(e.code, ERR_DATA);
        assert_int_equal(read(fds[0], &byte, 1), -1);
        assert_int_equal(errno, EAGAIN);
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Because the program has left data unread, read(2) fails with ECONNRESET instead of returning 0. */
static void a_connection_reset_is_end_of_file(void **state)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int fd[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    r.kind = 7;
    assert_int_equal(record_write(fd[0], &r, clock_deadline(10000, CLOCK_NEVER), &e), 0);
    close(fd[1]);
    assert_int_equal(record_read(fd[0], &r, clock_deadline(10000, CLOCK_NEVER), &e), 0);
    assert_int_equal(e.code, ERR_NONE);
    close(fd[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back_in_order),
        cmocka_unit_test(absent_and_malformed_fields),
        cmocka_unit_test(an_empty_secret_is_not_absent),
        cmocka_unit_test(the_longest_secret_comes_back),
        cmocka_unit_test(errors_arrive_unchanged),
        cmocka_unit_test(error_texts_are_truncated_to_fit),
        cmocka_unit_test(an_error_text_that_is_one_byte_too_long),
        cmocka_unit_test(each_code_is_known),
        cmocka_unit_test(an_error_without_a_known_code_is_a_protocol_error),
        cmocka_unit_test(malformed_records_are_refused),
        cmocka_unit_test(a_record_may_arrive_in_pieces),
        cmocka_unit_test(a_record_may_fill_the_buffer),
        cmocka_unit_test(malformed_records_are_not_received),
        cmocka_unit_test(the_smallest_and_the_largest_record_are_accepted),
        cmocka_unit_test(end_of_file_is_not_truncation),
        cmocka_unit_test(a_missing_body_is_truncation),
        cmocka_unit_test(a_signal_does_not_interrupt_reading),
        cmocka_unit_test(a_failed_poll_is_an_error),
        cmocka_unit_test(a_failed_read_or_write_is_an_error),
        cmocka_unit_test(reading_takes_one_record_only),
        cmocka_unit_test(reading_replaces_the_previous_content),
        cmocka_unit_test(a_late_answer_is_an_error),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_record_of_pipe_buf_plus_one_bytes),
        cmocka_unit_test(the_largest_record_is_written_and_none_larger),
        cmocka_unit_test(an_earlier_sigpipe_stays_pending),
        cmocka_unit_test(a_reader_that_does_not_read_is_an_error),
        cmocka_unit_test(a_closed_reader_is_an_error_without_sigpipe),
        cmocka_unit_test(a_connection_reset_is_end_of_file),
        cmocka_unit_test(no_part_of_a_record_that_is_too_large_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
