/* What a program has said on stderr, kept for an error's details. */
#ifndef EVENT_STDERR_TAIL_H
#define EVENT_STDERR_TAIL_H

#include <base/buf.h>

#define SAID_KEPT 4096

/* Adds bytes to `raw` and drops all but the last SAID_KEPT, up to a line's start where there is one; `said`
 * is then that, sanitised, with CR LF as LF. Both have room for 2 * SAID_KEPT. */
void said_add(struct buf *raw, struct buf *said, const char *bytes, size_t n);

#endif
