/* What a tunnel's program says: whether its stdout contains a text, and what of its stderr tells that a port
 * is taken. */
#ifndef TUNNEL_READY_H
#define TUNNEL_READY_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>

#define READY_MOST 1024

/* A text without a line end is in a line of the output where it is anywhere in it, so lines need not be
 * told apart, and one that is not ended counts too. */
struct ready {
    const char *text; /* not empty */
    struct buf tail;  /* what may be its beginning */
    bool found;
};
#define READY_INIT                                                                                           \
    {                                                                                                        \
        .tail = BUF_INIT(READY_MOST)                                                                         \
    }

/* NULL or empty, or READY_MOST bytes and more: never found. */
void ready_begin(struct ready *r, const char *text);
/* In chunks of any size. */
void ready_feed(struct ready *r, const char *bytes, size_t n);
/* Whether a program's words mean that its local port is taken by another one. */
bool ready_says_taken(const char *said);

#endif
