/* Sanitised as a whole each time: a character may come in two pieces, and is not to be taken for two bad
 * ones.
 */
#include "stderr_tail.h"

#include <string.h>

#include <base/text.h>

static void drop_first(struct buf *raw)
{
    AUTO_BUF(tail, SAID_KEPT);
    const char *end = buf_str(raw) + raw->len, *from = end - SAID_KEPT;
    const char *line = memchr(from, '\n', SAID_KEPT);

    if (line && line + 1 < end)
        from = line + 1;
    buf_add(&tail, from, (size_t)(end - from));
    buf_clear(raw);
    buf_add(raw, buf_str(&tail), tail.len);
}

void said_add(struct buf *raw, struct buf *said, const char *bytes, size_t n)
{
    AUTO_BUF(text, SAID_KEPT);

    for (size_t piece; n; bytes += piece, n -= piece) {
        piece = n < SAID_KEPT ? n : SAID_KEPT;
        buf_add(raw, bytes, piece);
        if (raw->len > SAID_KEPT)
            drop_first(raw);
    }
    for (size_t i = 0; i < raw->len; i++) {
        if (raw->data[i] != '\r' || i + 1 == raw->len || raw->data[i + 1] != '\n')
            buf_putc(&text, raw->data[i]);
    }
    buf_clear(said);
    text_sanitise(said, buf_str(&text), text.len);
}
