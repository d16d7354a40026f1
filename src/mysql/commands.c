/* SPDX-License-Identifier: MIT */
/*
 * Parses only packet headers; the body is skipped by its length. A packet with sequence number 0 begins a
 * command. The exception is a 0 that follows number 255 while the server is silent: it continues a long
 * command, or the file of LOAD DATA.
 */
#include "commands.h"

#include <stdlib.h>

#include <base/mem.h>

#include "packet.h"

#define COM_CHANGE_USER 0x11
#define ERROR_UNKNOWN_COMMAND 1047

struct commands {
    struct relay_filter filter;
    uint8_t head[PACKET_HEADER];
    unsigned have; /* bytes in `head` */
    size_t left;   /* bytes of the body that have not arrived yet */
    bool begins;   /* the next byte of the body is a command */
    uint8_t last;  /* the sequence number of the previous packet */
    bool heard;    /* the server has answered since the last packet */
};

static void header_done(struct commands *c, const uint8_t *head)
{
    uint8_t sequence = head[PACKET_HEADER - 1];

    c->left = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    c->begins = c->left > 0 && sequence == 0 && (c->last != 255 || c->heard);
    c->last = sequence;
    c->heard = false;
    c->have = 0;
}

/* The first part of a refused packet's header may already be at the server; it does nothing there. */
static size_t pass(struct relay_filter *f, const char *bytes, size_t n, bool heard, struct buf *last)
{
    struct commands *c = OWNER_OF(f, struct commands, filter);
    size_t at = 0, start = 0;

    c->heard = c->heard || heard;
    while (at < n) {
        if (c->begins && bytes[at] == COM_CHANGE_USER) {
            packet_put_refusal(last, 1, ERROR_UNKNOWN_COMMAND,
                               "broker: COM_CHANGE_USER is not possible here; connect again");
            return start;
        }
        c->begins = false;
        if (c->left > 0) {
            size_t skipped = c->left < n - at ? c->left : n - at;
            at += skipped;
            c->left -= skipped;
            continue;
        }
        if (c->have == 0)
            start = at;
        if (c->have == 0 && n - at >= PACKET_HEADER) {
            header_done(c, (const uint8_t *)bytes + at);
            at += PACKET_HEADER;
            continue;
        }
        c->head[c->have++] = (uint8_t)bytes[at++];
        if (c->have == PACKET_HEADER)
            header_done(c, c->head);
    }
    return n;
}

static void release(struct relay_filter *f)
{
    free(OWNER_OF(f, struct commands, filter));
}

struct relay_filter *commands_new(void)
{
    struct commands *c = mem_alloc(1, sizeof *c);

    *c = (struct commands){.filter = {.pass = pass, .release = release}};
    return &c->filter;
}
