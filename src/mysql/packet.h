/* SPDX-License-Identifier: MIT */
/* MySQL packets: length (3 bytes, little-endian), sequence number (1 byte), body. */
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
    uint8_t *head; /* points into the buffer, like `body` */
    uint8_t *body;
    size_t len; /* length of the body */
    uint8_t sequence;
};

/* Examines the first packet in a buffer. Returns 1 if it is complete, 0 if not yet, and -1 if its body is
 * longer than `most` bytes. *p is set if there are at least PACKET_HEADER bytes. */
int packet_first(struct buf *in, size_t most, struct packet *p);
void packet_put(struct buf *out, uint8_t sequence, const void *body, size_t n);
/* Appends an error packet with this number, truncated to a size that every client supports. It has an
 * SQLSTATE unless it replaces the greeting (sequence number 0): there clients would show the SQLSTATE as
 * text. */
void packet_put_refusal(struct buf *out, uint8_t sequence, unsigned number, const char *text);
/* Appends an error packet like the one with which a server refuses a password. */
void packet_put_denied(struct buf *out, uint8_t sequence, const char *text);
/* Appends an error packet with "broker: MESSAGE", then details and the hint on separate lines. */
void packet_put_error(struct buf *out, uint8_t sequence, const struct err *e);
/* Removes and wipes the first n bytes of a buffer. */
void packet_drop(struct buf *b, size_t n);

#endif
