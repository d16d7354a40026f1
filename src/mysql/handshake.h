/* SPDX-License-Identifier: MIT */
/*
 * Parses and builds the server's greeting and the client's answer to it ("Protocol::HandshakeV10" and
 * "Protocol::HandshakeResponse41" in MySQL's source documentation, "Connecting" in MariaDB's). Used when the
 * keeper logs in itself; otherwise login_filter.c passes both on unchanged.
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
/* Maximal size of the connection attributes; servers do not accept more. */
#define ATTRIBUTES_MAX 65535

struct greeting {
    uint32_t flags, extended;
    uint8_t scramble[SCRAMBLE_LEN];
    char plugin[PLUGIN_NAME_MAX + 1]; /* truncated if it is longer; "": the greeting names no plug-in */
};

struct span {
    const uint8_t *at;
    size_t n;
};

struct answer {
    uint32_t flags, max_packet, extended;
    uint8_t charset, zstd_level;
    struct span user, auth, database, plugin; /* they point into the packet */
    struct span attributes;                   /* pairs of name and value */
};

/* Parses a greeting. Returns false if it is not a greeting, or lacks the 20-byte scramble (before MySQL
 * 4.1). */
bool greeting_read(const struct packet *p, struct greeting *g);
/* Appends the body of the greeting `p`, but without the TLS flag, with another scramble, and, if it names a
 * plug-in, with `plugin` instead. */
void greeting_put(struct buf *out, const struct packet *p, const uint8_t scramble[SCRAMBLE_LEN],
                  const char *plugin);

/* Parses a whole answer of a client with CLIENT_PROTOCOL_41. Returns false if it is truncated. Like servers
 * do, it ignores bytes after the last field. */
bool answer_read(const uint8_t *body, size_t n, struct answer *a);
/* Appends the body of an answer with the fields that the flags of `a` require. */
void answer_put(struct buf *out, const struct answer *a);

/* Appends a length-encoded string. */
void lenenc_put(struct buf *out, const void *bytes, size_t n);
/* Takes a length-encoded string from the start of *from. Returns false if *from is too short. */
bool lenenc_take(struct span *from, struct span *out);
/* Copies the attributes whose names do not begin with `prefix`. */
void attributes_copy(struct buf *out, struct span pairs, const char *prefix);

#endif
