/* SPDX-License-Identifier: MIT */
/* The output of a tunnel's program: whether its stdout contains a text, and whether its stderr says that a
 * port is taken. */
#ifndef TUNNEL_READY_H
#define TUNNEL_READY_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>

#define READY_MOST 1024

/* The text has no line end, so it can be searched without splitting lines, and an unfinished line counts too.
 */
struct ready {
    const char *text; /* not empty */
    struct buf tail;  /* a possible prefix of the text */
    bool found;
};
#define READY_INIT                                                                                           \
    {                                                                                                        \
        .tail = BUF_INIT(READY_MOST)                                                                         \
    }

/* NULL, empty, or READY_MOST bytes or more: never found. */
void ready_begin(struct ready *r, const char *text);
/* Feeds output in chunks of any size. */
void ready_feed(struct ready *r, const char *bytes, size_t n);
/* Whether a program's message means that its local port is taken. */
bool ready_says_taken(const char *text);

#endif
