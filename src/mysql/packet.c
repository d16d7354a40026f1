/* SPDX-License-Identifier: MIT */
/* Parses and builds packets. login_filter.c interprets them. */
#include "packet.h"

#include <string.h>

/* MYSQL_ERRMSG_SIZE minus the text that a client adds. */
#define MESSAGE_MOST 500
/* The part of MESSAGE_MOST that is reserved for the hint. */
#define HINT_LEAST 160

int packet_first(struct buf *in, size_t most, struct packet *p)
{
    if (in->len < PACKET_HEADER)
        return 0;
    p->head = (uint8_t *)in->data;
    p->body = p->head + PACKET_HEADER;
    p->len = (size_t)p->head[0] | (size_t)p->head[1] << 8 | (size_t)p->head[2] << 16;
    p->sequence = p->head[3];
    if (p->len > most)
        return -1;
    return in->len - PACKET_HEADER >= p->len;
}

void packet_put(struct buf *out, uint8_t sequence, const void *body, size_t n)
{
    const uint8_t head[PACKET_HEADER] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), sequence};

    buf_add(out, head, sizeof head);
    buf_add(out, body, n);
}

/* Truncates at the start of a character, not inside one. */
static void cut_text(struct buf *b, size_t most)
{
    if (b->len <= most)
        return;
    while (most > 0 && ((unsigned char)b->data[most] & 0xc0) == 0x80)
        most--;
    b->len = most;
}

static void put_error(struct buf *out, uint8_t sequence, unsigned number, const char *state,
                      const char *words)
{
    AUTO_BUF(text, sizeof(struct err));
    AUTO_BUF(body, MESSAGE_MOST + 16);

    buf_puts(&text, words);
    cut_text(&text, MESSAGE_MOST);
    buf_putc(&body, (char)0xff);
    buf_putc(&body, (char)(number & 0xff));
    buf_putc(&body, (char)(number >> 8));
    if (sequence > 0)
        buf_printf(&body, "#%s", state);
    buf_add(&body, text.data, text.len);
    packet_put(out, sequence, body.data, body.len);
}

void packet_put_refusal(struct buf *out, uint8_t sequence, unsigned number, const char *words)
{
    put_error(out, sequence, number, "08S01", words);
}

void packet_put_denied(struct buf *out, uint8_t sequence, const char *words)
{
    put_error(out, sequence, ERROR_ACCESS_DENIED, "28000", words);
}

void packet_put_error(struct buf *out, uint8_t sequence, const struct err *e)
{
    AUTO_BUF(text, sizeof *e);

    buf_printf(&text, "broker: %s", e->msg);
    for (const char *line = e->detail; *line; line += strcspn(line, "\n") + 1)
        buf_printf(&text, "\n  %.*s", (int)strcspn(line, "\n"), line);
    cut_text(&text, MESSAGE_MOST - HINT_LEAST);
    if (*e->hint)
        buf_printf(&text, "\nhint: %s", e->hint);
    packet_put_refusal(out, sequence, ERROR_UNKNOWN, buf_str(&text));
}

void packet_drop(struct buf *b, size_t n)
{
    memmove(b->data, b->data + n, b->len - n);
    explicit_bzero(b->data + b->len - n, n);
    b->len -= n;
}
