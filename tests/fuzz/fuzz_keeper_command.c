/* SPDX-License-Identifier: MIT */
/*
 * The output of a tunnel's program, and the lines of the system's tables of listeners. The first line of the
 * input is the text of `ready` (or a port, or a path), the rest is the output. The text is found if and only
 * if the output contains it, however the output is cut into chunks. The stderr tail is the end of the
 * output, of limited length, the same for all chunks, and without control characters. A listener that is
 * found is on that port and can be connected to.
 *
 * fuzz link: src/tunnel/ready.c src/event/stderr_tail.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <base/listening.h>
#include <tunnel/ready.h>
#include <event/stderr_tail.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

/* Chunks of every size must give the same result as the whole. */
static void feed(const char *text, const char *output, size_t n)
{
    size_t length = strlen(text);
    bool is_there = length && length < READY_MOST && n && memmem(output, n, text, length);

    for (size_t chunk = 1; chunk <= n; chunk = chunk * 3 + 1) {
        struct ready r = READY_INIT;
        ready_begin(&r, text);
        for (size_t at = 0; at < n; at += chunk)
            ready_feed(&r, output + at, n - at < chunk ? n - at : chunk);
        check(r.found == is_there);
        check(r.tail.len < READY_MOST);
        buf_release(&r.tail);
    }
}

static void check_tail(const struct buf *shown, const struct buf *raw)
{
    check(raw->len <= STDERR_TAIL_MOST && shown->len <= raw->len && buf_ok(raw) && buf_ok(shown));
    for (size_t i = 0; i < shown->len; i++) {
        unsigned char c = (unsigned char)shown->data[i];
        check((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t');
    }
}

/* Up to its maximum length, the tail is the whole output, without control characters, whatever the chunks. */
static void keep(const char *output, size_t n)
{
    AUTO_BUF(first, 2 * STDERR_TAIL_MOST);

    for (size_t chunk = n ? n : 1; chunk > n / 200; chunk /= 7) {
        AUTO_BUF(raw, 2 * STDERR_TAIL_MOST);
        AUTO_BUF(shown, 2 * STDERR_TAIL_MOST);
        for (size_t at = 0; at < n; at += chunk)
            stderr_tail_add(&raw, &shown, output + at, n - at < chunk ? n - at : chunk);
        check_tail(&shown, &raw);
        check(n > STDERR_TAIL_MOST || (raw.len == n && (n == 0 || memcmp(raw.data, output, n) == 0)));
        check(n == 0 || raw.len > 0);
        if (chunk == n)
            buf_add(&first, buf_str(&shown), shown.len);
        else if (n <= STDERR_TAIL_MOST)
            check(shown.len == first.len && (n == 0 || text_equal(buf_str(&shown), buf_str(&first))));
    }
}

static void list(const char *key, const char *output)
{
    unsigned long port = 0;

    (void)text_number(key, 65535, &port);
    while (*output) {
        size_t n = strcspn(output, "\n");
        AUTO_FREE(char *, line);
        const char *at = NULL;
        line = mem_strndup(output, n);
        bool ours = listening_tcp_line(line, NULL, (unsigned)port, true, &at);
        check(!ours || text_equal(at, "127.0.0.1") || text_equal(at, "::1"));
        check(!ours || listening_tcp_line(line, NULL, (unsigned)port, false, &at));
        check(!ours || listening_tcp_line(line, at, (unsigned)port, true, &at));
        check(!listening_tcp_line(line, key, 65536, false, &at));
        (void)listening_tcp_line(line, key, (unsigned)port, false, &at);
        if (listening_unix_line(line, key))
            check(strstr(line, strrchr(key, '/') ? strrchr(key, '/') + 1 : key));
        output += n + (output[n] == '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    AUTO_FREE(char *, key);
    AUTO_FREE(char *, output);

    if (!end || size > 16384)
        return 0;
    size_t n = size - (size_t)(end + 1 - data);
    key = mem_strndup((const char *)data, (size_t)(end - data));
    feed(key, (const char *)end + 1, n);
    keep((const char *)end + 1, n);
    output = mem_strndup((const char *)end + 1, n);
    list(key, output);
    (void)ready_says_taken(output);
    return 0;
}
