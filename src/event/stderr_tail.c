/* SPDX-License-Identifier: MIT */
/* The whole tail is sanitised again each time: a character may arrive in two parts, which must not be taken
 * for two invalid ones. */
#include "stderr_tail.h"

#include <string.h>

#include <base/text.h>

static void drop_first(struct buf *raw)
{
    AUTO_BUF(tail, STDERR_TAIL_MOST);
    const char *end = buf_str(raw) + raw->len, *from = end - STDERR_TAIL_MOST;
    const char *line = memchr(from, '\n', STDERR_TAIL_MOST);

    if (line && line + 1 < end)
        from = line + 1;
    buf_add(&tail, from, (size_t)(end - from));
    buf_clear(raw);
    buf_add(raw, buf_str(&tail), tail.len);
}

void stderr_tail_add(struct buf *raw, struct buf *tail, const char *bytes, size_t n)
{
    AUTO_BUF(text, STDERR_TAIL_MOST);

    for (size_t piece; n; bytes += piece, n -= piece) {
        piece = n < STDERR_TAIL_MOST ? n : STDERR_TAIL_MOST;
        buf_add(raw, bytes, piece);
        if (raw->len > STDERR_TAIL_MOST)
            drop_first(raw);
    }
    for (size_t i = 0; i < raw->len; i++) {
        if (raw->data[i] != '\r' || i + 1 == raw->len || raw->data[i + 1] != '\n')
            buf_putc(&text, raw->data[i]);
    }
    buf_clear(tail);
    text_sanitise(tail, buf_str(&text), text.len);
}

static const char debug[] = "debug";
#define DEBUG_LEN (sizeof debug - 1)

/* The unfinished line is not a debug line: passes on the part that was held back. */
static void let_go(struct debug_lines *d, struct buf *rest)
{
    buf_add(rest, d->line.data, d->line.len);
    buf_clear(&d->line);
}

static void line_ends(struct debug_lines *d, struct child *c, struct buf *rest)
{
    if (d->line.len >= DEBUG_LEN) {
        if (d->line.data[d->line.len - 1] == '\r')
            d->line.data[d->line.len - 1] = '\0';
        c->debugged(c, buf_str(&d->line));
        buf_clear(&d->line);
    } else {
        let_go(d, rest);
        buf_putc(rest, '\n');
    }
    d->other = false;
}

void debug_lines_take(struct debug_lines *d, struct child *c, const char *bytes, size_t n, struct buf *rest)
{
    if (!c->debugged) {
        buf_add(rest, bytes, n);
        return;
    }
    for (; n; bytes++, n--) {
        if (*bytes == '\n') {
            line_ends(d, c, rest);
            continue;
        }
        if (!d->other && d->line.len < DEBUG_LEN && *bytes != debug[d->line.len]) {
            let_go(d, rest);
            d->other = true;
        }
        if (d->other)
            buf_putc(rest, *bytes);
        else if (d->line.len < DEBUG_LINE_MOST - 1)
            buf_putc(&d->line, *bytes);
    }
}
