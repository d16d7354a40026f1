/*
 * A byte buffer that grows up to a stated bound and is always wiped: when it moves, when it is cleared, when
 * it ends. Overflow is remembered instead of reported at each append: append freely, ask buf_ok() once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* use buf_str() where a NUL-terminated string is wanted; NULL while empty */
    size_t len, cap, max;
    bool full; /* an append did not fit; the buffer then holds what came before it */
};

#define BUF_INIT(bound)                                                                                      \
    {                                                                                                        \
        .max = (bound)                                                                                       \
    }
/* A buffer of this scope, bounded to `bound` bytes. */
#define AUTO_BUF(name, bound) __attribute__((cleanup(buf_release))) struct buf name = BUF_INIT(bound)

void buf_release(struct buf *b); /* wipes and frees; the buffer may be used again */
void buf_clear(struct buf *b);   /* wipes and empties, keeps the memory */
bool buf_ok(const struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* Room for n more bytes, to be filled by the caller and counted with buf_grew(); NULL where the bound forbids
 * it. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

/* The content, NUL-terminated ("" while empty). Owned by the buffer. */
const char *buf_str(const struct buf *b);

/* Moves the content out as a malloced string ("" while empty); the buffer is empty afterwards. */
char *buf_take(struct buf *b);

#endif
