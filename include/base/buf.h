/* SPDX-License-Identifier: MIT */
/*
 * A byte buffer that grows up to a fixed bound. Its memory is wiped whenever it is moved, cleared or
 * released. An append that does not fit sets a flag instead of returning an error, so callers append freely
 * and check buf_ok() once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while empty; use buf_str() to get a NUL-terminated string */
    size_t len, cap, max;
    bool full; /* an append did not fit; the earlier content is unchanged */
};

#define BUF_INIT(bound)                                                                                      \
    {                                                                                                        \
        .max = (bound)                                                                                       \
    }
/* Declares a buffer of at most `bound` bytes that is released at the end of the scope. */
#define AUTO_BUF(name, bound) __attribute__((cleanup(buf_release))) struct buf name = BUF_INIT(bound)

void buf_release(struct buf *b); /* wipes and frees; the buffer can be used again */
void buf_clear(struct buf *b);   /* wipes and empties, keeps the memory */
bool buf_ok(const struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* Returns room for n more bytes; the caller fills it and then calls buf_grew() with the number of bytes
 * written. Returns NULL if the bound does not allow it. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

/* Returns the content, NUL-terminated ("" if empty). The buffer still owns it. */
const char *buf_str(const struct buf *b);

/* Moves the content out as a malloced string ("" if empty); the buffer is empty afterwards. */
char *buf_take(struct buf *b);

#endif
