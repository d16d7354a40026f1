/* SPDX-License-Identifier: MIT */
/* Searches the output of a tunnel's program. */
#include "ready.h"

#include <string.h>

#include <base/mem.h>

void ready_begin(struct ready *r, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    buf_clear(&r->tail);
    r->text = n && n < READY_MOST ? text : NULL;
    r->found = false;
}

/* Keeps the longest suffix of `tail` and `byte` that is a prefix of the text. */
static void feed_byte(struct ready *r, size_t want, char byte)
{
    buf_putc(&r->tail, byte);
    while (r->tail.len && memcmp(r->tail.data, r->text, r->tail.len) != 0) {
        r->tail.len--;
        memmove(r->tail.data, r->tail.data + 1, r->tail.len);
    }
    r->found = r->tail.len == want;
}

void ready_feed(struct ready *r, const char *bytes, size_t n)
{
    size_t want = r->text ? strlen(r->text) : 0;

    for (size_t i = 0; r->text && !r->found && i < n; i++)
        feed_byte(r, want, bytes[i]);
}

bool ready_says_taken(const char *text)
{
    static const char *const words[] = {"already in use", "address in use", "eaddrinuse"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(text, words[i]))
            return true;
    }
    return false;
}
