/* SPDX-License-Identifier: MIT */
/* A growing byte buffer. It never uses realloc(), which may leave a copy of the old bytes in freed memory. */
#include <base/buf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>

void buf_release(struct buf *b)
{
    buf_clear(b);
    free(b->data);
    b->data = NULL;
    b->cap = 0;
}

void buf_clear(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    b->len = 0;
    b->full = false;
}

bool buf_ok(const struct buf *b)
{
    return !b->full;
}

/* Allocates one byte more than asked for, so that buf_str() always has room for its NUL. */
char *buf_room(struct buf *b, size_t n)
{
    if (b->full || n > b->max - b->len) {
        b->full = true;
        return NULL;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? 2 * b->cap : 64;
        if (cap < need)
            cap = need;
        char *data = mem_alloc(cap, 1);
        if (b->data) {
            memcpy(data, b->data, b->len);
            explicit_bzero(b->data, b->cap);
            free(b->data);
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

void buf_grew(struct buf *b, size_t n)
{
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    char *room = buf_room(b, n);

    if (!room)
        return;
    if (n)
        memcpy(room, bytes, n);
    buf_grew(b, n);
}

void buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *room = n < 0 ? NULL : buf_room(b, (size_t)n);
    if (!room)
        return;
    (void)vsnprintf(room, (size_t)n + 1, fmt, ap);
    buf_grew(b, (size_t)n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *s = b->data ? b->data : mem_strdup("");

    *b = (struct buf)BUF_INIT(b->max);
    return s;
}
