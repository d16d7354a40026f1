/* One side of a connection: a descriptor, plain or with TLS over it. */
#ifndef EVENT_WIRE_H
#define EVENT_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <event/loop.h>

struct wire {
    struct watch watch; /* its fd is ours; -1: not open */
    SSL *ssl;           /* NULL: plain; freed by wire_close() */
    /* What TLS needs of the descriptor before the last read or write can go on, LOOP_READ or LOOP_WRITE. */
    unsigned read_needs, write_needs;
};
#define WIRE_INIT                                                                                            \
    {                                                                                                        \
        .watch.fd = -1                                                                                       \
    }

enum { WIRE_END = 0, WIRE_LATER = -1, WIRE_BROKEN = -2 };

/* Both give the number of bytes moved or one of the above; WIRE_END is never given by a write. */
ssize_t wire_read(struct wire *w, char *to, size_t room);
ssize_t wire_write(struct wire *w, const char *from, size_t n);
/* Nothing more will be written; reading goes on. */
void wire_shut(struct wire *w);
/* Forgets the watch, says goodbye where TLS has a word for it, closes. Nothing where it is not open. */
void wire_close(struct wire *w);
/* Whether the other side still is there, without reading anything. */
bool wire_is_alive(int fd);

#endif
