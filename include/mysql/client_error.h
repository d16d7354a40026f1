/* SPDX-License-Identifier: MIT */
/*
 * The error that a client gets instead of a server: a text. If broker itself reads the client's output, text
 * is not enough, because a server can send the same. The client then gets a secret value shared by broker and
 * the keeper, and broker gets the error itself over the control channel.
 */
#ifndef MYSQL_CLIENT_ERROR_H
#define MYSQL_CLIENT_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>

/* The error packet for a client; `sequence` as in packet.h. */
void told_put(struct buf *out, uint8_t sequence, const struct err *e);
/* From now on clients get only the mark, or text again (NULL). Takes ownership of mark; forgets the stored
 * error. */
void told_mark(char *mark);
/* The last error that a client got the mark for; NULL: none. */
const struct err *told_last(void);

#endif
