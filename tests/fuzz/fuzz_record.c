/* SPDX-License-Identifier: MIT */
/*
 * The record reader. In a record that is accepted, every field lies within its bytes; it is the same when it
 * is read from a pipe and when it is written again; and its error (if it is one) has strings that end in
 * NUL.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <ipc/record.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static bool is_string(const char *slot, size_t size)
{
    return memchr(slot, '\0', size) != NULL;
}

static void walk(const struct record *r, struct record *copy)
{
    struct err e = ERR_INIT;
    struct field f, found;
    size_t offset = 0;
    int more;

    while ((more = record_next(r, &offset, &f, &e)) > 0) {
        check(f.bytes >= r->body.data && f.bytes + f.len <= r->body.data + r->body.len);
        check(record_find(r, f.tag, &found));
        free(record_str(r, f.tag));
        secret_free(record_secret(r, f.tag));
        (void)record_u64(r, f.tag, 0);
        record_put(copy, f.tag, f.bytes, f.len);
    }
    check(more == 0 && offset == r->body.len);
}

static void check_error(const struct record *r)
{
    struct err e = ERR_INIT;

    check(record_error(r, &e) == -1 && e.code != ERR_NONE);
    check(is_string(e.what, sizeof e.what) && is_string(e.msg, sizeof e.msg));
    check(is_string(e.detail, sizeof e.detail) && is_string(e.hint, sizeof e.hint));
}

/* Read from a pipe, the same bytes must give the same record, or an error. */
static void read_from_pipe(const uint8_t *data, size_t size, const struct record *parsed)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;
    int fds[2];

    check(fd_pipe(fds, &e) == 0);
    check(fd_write_all(fds[1], data, size) == 0);
    (void)close(fds[1]);
    int got = record_read(fds[0], &r, CLOCK_NEVER, &e);
    if (parsed)
        check(got == 1 && r.kind == parsed->kind && r.body.len == parsed->body.len &&
              (r.body.len == 0 || memcmp(r.body.data, parsed->body.data, r.body.len) == 0));
    else
        check(got < 0 ? e.code == ERR_PROTOCOL : got == (size > 0));
    (void)close(fds[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_RECORD(r);
    AUTO_RECORD(copy);
    struct err e = ERR_INIT;
    int fds[2];

    if (size > 32768)
        return 0; /* must fit into a pipe */
    if (record_parse(data, size, &r, &e) < 0) {
        check(e.code == ERR_PROTOCOL);
        read_from_pipe(data, size, NULL);
        return 0;
    }
    copy.kind = r.kind;
    walk(&r, &copy);
    check_error(&r);
    read_from_pipe(data, size, &r);
    check(fd_pipe(fds, &e) == 0);
    check(record_write(fds[1], &copy, CLOCK_NEVER, &e) == 0);
    uint8_t again[32768 + 1];
    check(read(fds[0], again, sizeof again) > 0 && memcmp(again, data, size < 6 ? size : 6) == 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return 0;
}
