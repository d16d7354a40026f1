/*
 * What a client is told when it gets no server: text, which is all that a program has. Where broker itself
 * reads the client's output, text would not do: a server can send the same. There the client is told a value
 * that is secret between broker and the keeper, and broker gets the error itself over the line.
 */
#ifndef MYSQL_CLIENT_ERROR_H
#define MYSQL_CLIENT_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>

/* The error packet for a client; `sequence` as in packet.h. */
void told_put(struct buf *out, uint8_t sequence, const struct err *e);
/* From now on clients get the mark alone, or text again (NULL). Takes mark over; forgets what is kept. */
void told_mark(char *mark);
/* The last error that a client got the mark for; NULL: none. */
const struct err *told_last(void);

#endif
