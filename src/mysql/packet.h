/* MySQL's packets: 3 bytes length, little-endian; 1 byte sequence number; the body. */
#ifndef MYSQL_PACKET_H
#define MYSQL_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>

#define PACKET_HEADER 4
/* ER_UNKNOWN_ERROR: the one number of a server that says nothing by itself. */
#define ERROR_UNKNOWN 1105

struct packet {
    uint8_t *head; /* inside of the buffer, as is the body */
    uint8_t *body;
    size_t len; /* of the body */
    uint8_t sequence;
};

/* 1: the first packet is whole, 0: not yet, -1: its body would have more than `most` bytes. With
 * PACKET_HEADER bytes and more *p is filled in. */
int packet_first(struct buf *in, size_t most, struct packet *p);
void packet_put(struct buf *out, uint8_t sequence, const void *body, size_t n);
/* An error packet of that number, cut to what every client has room for. With an SQLSTATE unless it stands in
 * the greeting's place (sequence number 0), where it would be taken for text. */
void packet_put_refusal(struct buf *out, uint8_t sequence, unsigned number, const char *text);
/* The same as every client shows it: "broker: MESSAGE", then details and the hint on lines of their own. */
void packet_put_error(struct buf *out, uint8_t sequence, const struct err *e);
/* Drops what stands first in a buffer, wiping it. */
void packet_drop(struct buf *b, size_t n);

#endif
