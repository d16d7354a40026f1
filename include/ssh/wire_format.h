/* SPDX-License-Identifier: MIT */
/* Numbers and strings in SSH's wire format (RFC 4251 section 5), and base64 as in SSH's files. */
#ifndef SSH_WIRE_FORMAT_H
#define SSH_WIRE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

/* Returns the big-endian number at `at`. */
uint32_t wire_u32(const unsigned char *at);
/* Reads a string at *at and moves *at past it. Returns false if the string does not end before `end`. */
bool wire_string(const unsigned char **at, const unsigned char *end, const unsigned char **string, size_t *n);
void wire_put_u32(struct buf *out, uint32_t n);
void wire_put_string(struct buf *out, const void *bytes, size_t n);

/* Decodes standard base64, ignoring white space. Uses libsodium, because OpenSSL's decoder keeps a line of
 * text, which may be from a private key, in memory that it does not wipe. Returns -1 if the text is invalid
 * or `out` has no room for n bytes. */
int base64_decode(const char *text, size_t n, struct buf *out);
void base64_encode(const void *bytes, size_t n, struct buf *out);

#endif
