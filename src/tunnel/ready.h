/* SPDX-License-Identifier: MIT */
/* The output of a tunnel's program: whether its stdout contains a text, and whether its stderr says that a
 * port is in use. */
#ifndef TUNNEL_READY_H
#define TUNNEL_READY_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>

#define READY_MOST 1024

/* The text has no newline, so it can be found without splitting lines, and in an unfinished line. */
struct ready {
    const char *text; /* not empty */
    struct buf tail;  /* a possible prefix of the text */
    bool found;
};
#define READY_INIT                                                                                           \
    {                                                                                                        \
        .tail = BUF_INIT(READY_MOST)                                                                         \
    }

/* Sets the text. It is never found if it is NULL, empty, or READY_MOST bytes or longer. */
void ready_begin(struct ready *r, const char *text);
/* Adds output, in chunks of any size. */
void ready_feed(struct ready *r, const char *bytes, size_t n);
/* Returns whether a program's message means that its local port is in use. */
bool ready_says_taken(const char *text);

#endif
