/* SPDX-License-Identifier: MIT */
/* The end of a program's stderr, kept for the details of an error. */
#ifndef EVENT_STDERR_TAIL_H
#define EVENT_STDERR_TAIL_H

#include <stdbool.h>

#include <base/buf.h>
#include <event/child.h>

#define STDERR_TAIL_MOST 4096

/* Appends bytes to `raw` and keeps the last STDERR_TAIL_MOST, from the start of a line if possible; `tail`
 * gets the same text, sanitised, with CR LF as LF. Both must have room for 2 * STDERR_TAIL_MOST. */
void stderr_tail_add(struct buf *raw, struct buf *tail, const char *bytes, size_t n);

/* Removes lines that begin with "debug", as ssh's do, from a program's stderr. */
#define DEBUG_LINE_MOST 512
struct debug_lines {
    struct buf line; /* the unfinished line, while it may be a debug line */
    bool other;      /* the unfinished line is not a debug line */
};
#define DEBUG_LINES_INIT                                                                                     \
    {                                                                                                        \
        .line = BUF_INIT(DEBUG_LINE_MOST)                                                                    \
    }
/* Passes each whole debug line, truncated to DEBUG_LINE_MOST, to c->debugged() if set, and appends everything
 * else to `rest`. */
void debug_lines_take(struct debug_lines *d, struct child *c, const char *bytes, size_t n, struct buf *rest);

#endif
