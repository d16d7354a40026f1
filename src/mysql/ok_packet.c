/* SPDX-License-Identifier: MIT */
#include "ok_packet.h"

#include "handshake.h"

/* The text is a byte 1, then SHA-256 in hexadecimal. */
enum { VOUCHES = 1, VOUCHED_LEN = 65 };

/* Returns the size of a length-encoded number, or 0 if it is truncated. */
static size_t number_size(const uint8_t *at, size_t n)
{
    size_t size = n == 0          ? 0
                  : at[0] < 0xfb  ? 1
                  : at[0] == 0xfc ? 3
                  : at[0] == 0xfd ? 4
                  : at[0] == 0xfe ? 9
                                  : 0;

    return size <= n ? size : 0;
}

/* Returns the size of type, two numbers, status and warnings, or 0 if they are truncated. */
static size_t head_size(const uint8_t *body, size_t n)
{
    size_t at = 1;

    for (int i = 0; i < 2; i++) {
        size_t size = at <= n ? number_size(body + at, n - at) : 0;
        if (size == 0)
            return 0;
        at += size;
    }
    return at + 4 <= n ? at + 4 : 0;
}

/* The text is length-encoded, and changes of the session may follow; or it is the rest of the packet. */
void ok_without_vouching(struct buf *out, const uint8_t *body, size_t n)
{
    size_t head = head_size(body, n);
    struct span rest = {body + head, n - head}, text;

    if (head == 0 || rest.n == 0) {
        buf_add(out, body, n);
    } else if (lenenc_take(&rest, &text) && text.n == VOUCHED_LEN && text.at[0] == VOUCHES) {
        buf_add(out, body, head);
        if (rest.n)
            buf_putc(out, '\0');
        buf_add(out, rest.at, rest.n);
    } else if (n - head == VOUCHED_LEN && body[head] == VOUCHES) {
        buf_add(out, body, head);
    } else {
        buf_add(out, body, n);
    }
}
