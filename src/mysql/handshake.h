/* SPDX-License-Identifier: MIT */
/*
 * The server's greeting and the client's answer to it, taken apart and put together ("Protocol::HandshakeV10"
 * and "Protocol::HandshakeResponse41" in MySQL's source documentation, "Connecting" in MariaDB's). For the
 * keeper that logs in by itself; login_filter.c passes both on as they are.
 */
#ifndef MYSQL_HANDSHAKE_H
#define MYSQL_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

#include "capabilities.h"
#include "packet.h"

#define SCRAMBLE_LEN 20
#define PLUGIN_NAME_MAX 63
/* More of them is more than servers take. */
#define ATTRIBUTES_MAX 65535

struct greeting {
    uint32_t flags, extended;
    uint8_t scramble[SCRAMBLE_LEN];
    char plugin[PLUGIN_NAME_MAX + 1]; /* cut if it is longer; "": none was named */
};

struct span {
    const uint8_t *at;
    size_t n;
};

struct answer {
    uint32_t flags, max_packet, extended;
    uint8_t charset, zstd_level;
    struct span user, auth, database, plugin; /* point into the packet */
    struct span attributes;                   /* pairs of name and value */
};

/* False: not a greeting, or one without the twenty bytes of MySQL 4.1. */
bool greeting_read(const struct packet *p, struct greeting *g);
/* Appends the body of the same greeting, but without TLS, with another scramble, and, if it names a plug-in,
 * another one. */
void greeting_put(struct buf *out, const struct packet *p, const uint8_t scramble[SCRAMBLE_LEN],
                  const char *plugin);

/* Takes a whole answer (with PROTOCOL_41) apart. False: it is cut short, or its parts are longer than it.
 * What comes behind the last part is ignored, as servers do. */
bool answer_read(const uint8_t *body, size_t n, struct answer *a);
/* Appends the body of an answer; it holds what a's flags say. */
void answer_put(struct buf *out, const struct answer *a);

/* Appends a length-encoded string. */
void lenenc_put(struct buf *out, const void *bytes, size_t n);
/* Takes one from the start of *from; false: *from is shorter. */
bool lenenc_take(struct span *from, struct span *out);
/* Appends the pairs whose name does not begin with `prefix`. */
void attributes_copy(struct buf *out, struct span pairs, const char *prefix);

#endif
