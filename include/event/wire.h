/* SPDX-License-Identifier: MIT */
/* One side of a connection: a descriptor, with or without TLS. */
#ifndef EVENT_WIRE_H
#define EVENT_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <event/loop.h>

struct wire {
    struct watch watch; /* owns its fd; -1: not open */
    SSL *ssl;           /* NULL: without TLS; freed by wire_close() */
    /* The event that TLS needs before the last read or write can continue: LOOP_READ or LOOP_WRITE. */
    unsigned read_needs, write_needs;
    size_t vain; /* bytes that TLS has read since it last returned data */
};
#define WIRE_INIT                                                                                            \
    {                                                                                                        \
        .watch.fd = -1                                                                                       \
    }

enum { WIRE_END = 0, WIRE_LATER = -1, WIRE_BROKEN = -2 };

/* Continues the TLS handshake. Returns like SSL_do_handshake(); does not take much data at once, whatever the
 * server sends. */
int wire_handshake(struct wire *w);
/* Both return the number of bytes read or written, or one of the values above; a write never returns
 * WIRE_END. */
ssize_t wire_read(struct wire *w, char *to, size_t room);
ssize_t wire_write(struct wire *w, const char *from, size_t n);
/* Shuts down the writing direction; reading continues. */
void wire_shut(struct wire *w);
/* Removes the watch, sends TLS's close_notify if TLS is used, and closes. Does nothing if it is not open. */
void wire_close(struct wire *w);
/* Returns whether the peer is still connected, without reading data. */
bool wire_is_alive(int fd);

#endif
