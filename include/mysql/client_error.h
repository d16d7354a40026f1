/* SPDX-License-Identifier: MIT */
/*
 * Errors that broker itself sends to a client, as MySQL error packets with a text. If broker reads the
 * client's output, it could not tell such a text from a server's. Then the client gets a secret value that
 * only broker and the keeper know, and broker gets the error itself over the control channel.
 */
#ifndef MYSQL_CLIENT_ERROR_H
#define MYSQL_CLIENT_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>

/* Appends an error packet for a client; `sequence` as in packet.h. */
void told_put(struct buf *out, uint8_t sequence, const struct err *e);
/* From now on clients get only the secret value `mark` instead of the error's text, or the text again if
 * `mark` is NULL. Takes ownership of `mark` (malloced). Forgets the stored error. */
void told_mark(char *mark);
/* Returns the last error for which a client got the mark, or NULL. */
const struct err *told_last(void);

#endif
