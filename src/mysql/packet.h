/* SPDX-License-Identifier: MIT */
/* MySQL's packets: 3 bytes length, little-endian; 1 byte sequence number; the body. */
#ifndef MYSQL_PACKET_H
#define MYSQL_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>

#define PACKET_HEADER 4
/* ER_UNKNOWN_ERROR: the only server error number without a meaning of its own. */
#define ERROR_UNKNOWN 1105
#define ERROR_ACCESS_DENIED 1045

struct packet {
    uint8_t *head; /* points into the buffer, as does the body */
    uint8_t *body;
    size_t len; /* of the body */
    uint8_t sequence;
};

/* 1: the first packet is whole, 0: not yet, -1: its body would have more than `most` bytes. *p is filled if
 * there are at least PACKET_HEADER bytes. */
int packet_first(struct buf *in, size_t most, struct packet *p);
void packet_put(struct buf *out, uint8_t sequence, const void *body, size_t n);
/* An error packet with that number, cut to the size that every client can hold. It has an SQLSTATE unless it
 * replaces the greeting (sequence number 0), where it would be taken for text. */
void packet_put_refusal(struct buf *out, uint8_t sequence, unsigned number, const char *text);
/* An error packet by which a server refuses a password. */
void packet_put_denied(struct buf *out, uint8_t sequence, const char *text);
/* An error packet with "broker: MESSAGE", then details and the hint on separate lines. */
void packet_put_error(struct buf *out, uint8_t sequence, const struct err *e);
/* Removes bytes from the start of a buffer and wipes them. */
void packet_drop(struct buf *b, size_t n);

#endif
