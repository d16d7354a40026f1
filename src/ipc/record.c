/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes records by a deadline, and accesses their fields. Every length is checked before it is
 * used, so a record that was read contains only complete fields. This file does not know what the fields
 * mean. It never reads past a record, because the rest of the stream belongs to the next reader.
 */
#include <ipc/record.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>

void record_release(struct record *r)
{
    buf_release(&r->body);
    r->kind = 0;
}

static void number_pack(char *out, uint64_t v, size_t n)
{
    while (n--) {
        out[n] = (char)(v & 0xff);
        v >>= 8;
    }
}

static uint64_t number_unpack(const char *in, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)in[i];
    return v;
}

void record_put(struct record *r, uint8_t tag, const void *bytes, size_t n)
{
    char *room = n > RECORD_MAX ? NULL : buf_room(&r->body, FIELD_HEADER + n);

    if (!room) {
        r->body.full = true;
        return;
    }
    room[0] = (char)tag;
    number_pack(room + 1, n, 4);
    if (n)
        memcpy(room + FIELD_HEADER, bytes, n);
    buf_grew(&r->body, FIELD_HEADER + n);
}

void record_put_str(struct record *r, uint8_t tag, const char *s)
{
    if (s)
        record_put(r, tag, s, strlen(s));
}

void record_put_u64(struct record *r, uint8_t tag, uint64_t v)
{
    char bytes[8];

    number_pack(bytes, v, sizeof bytes);
    record_put(r, tag, bytes, sizeof bytes);
}

void record_put_secret(struct record *r, uint8_t tag, const struct secret *s)
{
    record_put(r, tag, secret_bytes(s), secret_len(s));
}

void record_put_error(struct record *r, const struct err *e)
{
    buf_clear(&r->body);
    r->kind = RECORD_ERROR;
    record_put_u64(r, ERR_TAG_CODE, (uint64_t)e->code);
    record_put_str(r, ERR_TAG_WHAT, e->what);
    record_put_str(r, ERR_TAG_MSG, e->msg);
    record_put_str(r, ERR_TAG_DETAIL, e->detail);
    record_put_str(r, ERR_TAG_HINT, e->hint);
    record_put_u64(r, ERR_TAG_NUMBER, e->number);
}

int record_next(const struct record *r, size_t *offset, struct field *f, struct err *e)
{
    size_t left = r->body.len - *offset;
    const char *at = buf_str(&r->body) + *offset;

    if (left == 0)
        return 0;
    if (left < FIELD_HEADER || number_unpack(at + 1, 4) > left - FIELD_HEADER)
        return err_set(e, ERR_PROTOCOL, "a record has a truncated field");
    f->tag = (uint8_t)at[0];
    f->bytes = at + FIELD_HEADER;
    f->len = (size_t)number_unpack(at + 1, 4);
    *offset += FIELD_HEADER + f->len;
    return 1;
}

bool record_find(const struct record *r, uint8_t tag, struct field *f)
{
    struct err ignored = ERR_INIT;
    size_t offset = 0;

    while (record_next(r, &offset, f, &ignored) > 0) {
        if (f->tag == tag)
            return true;
    }
    return false;
}

char *record_str(const struct record *r, uint8_t tag)
{
    struct field f;

    return record_find(r, tag, &f) ? mem_strndup(f.bytes, f.len) : NULL;
}

uint64_t record_u64(const struct record *r, uint8_t tag, uint64_t absent)
{
    struct field f;

    return record_find(r, tag, &f) && f.len == 8 ? number_unpack(f.bytes, 8) : absent;
}

struct secret *record_secret(const struct record *r, uint8_t tag)
{
    struct field f;

    return record_find(r, tag, &f) && f.len <= SECRET_MAX ? secret_from(f.bytes, f.len) : NULL;
}

static bool code_is_known(uint64_t code)
{
    static const enum err_code known[] = {ERR_USAGE,  ERR_DATA,      ERR_UNREACHABLE,  ERR_BUG,
                                          ERR_IO,     ERR_TRY_LATER, ERR_PROTOCOL,     ERR_REFUSED,
                                          ERR_CONFIG, ERR_LOGIN,     ERR_NOT_RUNNABLE, ERR_NOT_FOUND};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i] == code)
            return true;
    }
    return false;
}

/* Copies a field into an array of struct err, truncated to its size and at an embedded NUL. */
static void text_slot(const struct record *r, uint8_t tag, char *slot, size_t size)
{
    struct field f = {.bytes = "", .len = 0};

    size_t n = record_find(r, tag, &f) ? strnlen(f.bytes, f.len) : 0;
    if (n >= size)
        n = size - 1;
    memcpy(slot, f.bytes, n);
    slot[n] = '\0';
}

int record_error(const struct record *r, struct err *e)
{
    uint64_t code = record_u64(r, ERR_TAG_CODE, ERR_NONE);

    if (r->kind != RECORD_ERROR || !code_is_known(code))
        return err_set(e, ERR_PROTOCOL, "an error record has no code");
    err_clear(e);
    e->code = (enum err_code)code;
    e->number = (unsigned)record_u64(r, ERR_TAG_NUMBER, 0);
    text_slot(r, ERR_TAG_WHAT, e->what, sizeof e->what);
    text_slot(r, ERR_TAG_MSG, e->msg, sizeof e->msg);
    text_slot(r, ERR_TAG_DETAIL, e->detail, sizeof e->detail);
    text_slot(r, ERR_TAG_HINT, e->hint, sizeof e->hint);
    return -1;
}

static int check_fields(const struct record *r, struct err *e)
{
    struct field f;
    size_t offset = 0;
    int more;

    while ((more = record_next(r, &offset, &f, e)) > 0)
        ;
    return more;
}

static int check_header(const char *header, uint8_t *kind, size_t *body, struct err *e)
{
    uint64_t length = number_unpack(header, 4);

    if (length < RECORD_HEADER - 4 || length > RECORD_MAX)
        return err_set(e, ERR_PROTOCOL, "not a record");
    if (header[4] != RECORD_VERSION)
        return err_set(e, ERR_PROTOCOL, "a record has version %d instead of %d", (unsigned char)header[4],
                       RECORD_VERSION);
    *kind = (uint8_t)header[5];
    *body = (size_t)length - (RECORD_HEADER - 4);
    return 0;
}

int record_parse(const void *bytes, size_t n, struct record *r, struct err *e)
{
    size_t body;

    buf_clear(&r->body);
    if (n < RECORD_HEADER)
        return err_set(e, ERR_PROTOCOL, "a truncated record");
    if (check_header(bytes, &r->kind, &body, e) < 0)
        return -1;
    if (body != n - RECORD_HEADER)
        return err_set(e, ERR_PROTOCOL, "a record has the wrong length");
    buf_add(&r->body, (const char *)bytes + RECORD_HEADER, body);
    return check_fields(r, e);
}

int record_receive(int fd, struct buf *in, struct record *r)
{
    struct err ignored = ERR_INIT;
    char chunk[4096];

    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0)
        buf_add(in, chunk, (size_t)n);
    if (n <= 0 || !buf_ok(in))
        return -1;
    size_t whole = in->len < 4 ? 0 : (size_t)number_unpack(in->data, 4) + 4;
    if (in->len < 4 || (in->len < whole && whole <= in->max))
        return 0;
    return whole > in->len || record_parse(in->data, whole, r, &ignored) < 0 ? -1 : 1;
}

static int wait_ready(int fd, short events, int64_t deadline, struct err *e)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        int left = clock_left(deadline);
        int ready = poll(&p, 1, left);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return err_set(e, ERR_IO, "%s", strerror(errno));
        if (left == 0)
            return err_set(e, ERR_UNREACHABLE, "no answer in time");
    }
}

/* Returns 1 if all n bytes were read, 0 at end of file before the first byte, -1 on error. */
static int read_exactly(int fd, char *out, size_t n, int64_t deadline, struct err *e)
{
    for (size_t have = 0; have < n;) {
        if (wait_ready(fd, POLLIN, deadline, e) < 0)
            return -1;
        ssize_t got = read(fd, out + have, n - have);
        bool reset = got < 0 && errno == ECONNRESET; /* closed without reading it all */
        if (got < 0 && !reset && errno != EINTR && errno != EAGAIN)
            return err_set(e, ERR_IO, "%s", strerror(errno));
        if (got == 0 || reset)
            return have ? err_set(e, ERR_PROTOCOL, "a truncated record") : 0;
        have += got > 0 ? (size_t)got : 0;
    }
    return 1;
}

int record_read(int fd, struct record *r, int64_t deadline, struct err *e)
{
    char header[RECORD_HEADER];
    size_t body;

    buf_clear(&r->body);
    int got = read_exactly(fd, header, sizeof header, deadline, e);
    if (got <= 0)
        return got;
    if (check_header(header, &r->kind, &body, e) < 0)
        return -1;
    char *room = buf_room(&r->body, body);
    got = body ? read_exactly(fd, room, body, deadline, e) : 1;
    if (got == 0)
        return err_set(e, ERR_PROTOCOL, "a truncated record");
    if (got < 0)
        return -1;
    buf_grew(&r->body, body);
    return check_fields(r, e) < 0 ? -1 : 1;
}

/* If poll(2) reports a pipe as writable, writing up to PIPE_BUF bytes does not block, even if the pipe is in
 * blocking mode. */
static int write_all(int fd, const char *bytes, size_t n, int64_t deadline, struct err *e)
{
    while (n) {
        if (wait_ready(fd, POLLOUT, deadline, e) < 0)
            return -1;
        ssize_t put = write(fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
        if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
            return err_set(e, ERR_PROTOCOL, "exited without an answer");
        if (put < 0 && errno != EINTR && errno != EAGAIN)
            return err_set(e, ERR_IO, "%s", strerror(errno));
        bytes += put > 0 ? put : 0;
        n -= put > 0 ? (size_t)put : 0;
    }
    return 0;
}

int record_write(int fd, const struct record *r, int64_t deadline, struct err *e)
{
    char header[RECORD_HEADER] = {[4] = RECORD_VERSION, [5] = (char)r->kind};
    struct timespec at_once = {0};
    sigset_t pipe, was;

    if (!buf_ok(&r->body) || r->body.len > RECORD_MAX - (RECORD_HEADER - 4))
        return err_set(e, ERR_DATA, "over %d bytes", RECORD_MAX);
    number_pack(header, r->body.len + (RECORD_HEADER - 4), 4);
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)sigprocmask(SIG_BLOCK, &pipe, &was);
    int result = write_all(fd, header, sizeof header, deadline, e);
    if (result == 0)
        result = write_all(fd, buf_str(&r->body), r->body.len, deadline, e);
    if (result < 0)
        (void)sigtimedwait(&pipe, NULL, &at_once);
    (void)sigprocmask(SIG_SETMASK, &was, NULL);
    return result;
}
