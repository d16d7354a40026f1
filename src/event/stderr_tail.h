/* What a program has said on stderr, kept for an error's details. */
#ifndef EVENT_STDERR_TAIL_H
#define EVENT_STDERR_TAIL_H

#include <stdbool.h>

#include <base/buf.h>
#include <event/child.h>

#define SAID_KEPT 4096

/* Adds bytes to `raw` and drops all but the last SAID_KEPT, up to a line's start where there is one; `said`
 * is then that, sanitised, with CR LF as LF. Both have room for 2 * SAID_KEPT. */
void said_add(struct buf *raw, struct buf *said, const char *bytes, size_t n);

/* Lines that begin with "debug", as ssh's do, taken out of what a program says. */
#define DEBUG_LINE_MOST 512
struct debug_lines {
    struct buf line; /* the one that goes on, as long as it may be one */
    bool other;      /* the line that goes on is none */
};
#define DEBUG_LINES_INIT                                                                                     \
    {                                                                                                        \
        .line = BUF_INIT(DEBUG_LINE_MOST)                                                                    \
    }
/* Gives c->debugged(), if it has that, each that is whole, cut to DEBUG_LINE_MOST, and adds to `rest` all
 * else.
 */
void debug_lines_take(struct debug_lines *d, struct child *c, const char *bytes, size_t n, struct buf *rest);

#endif
