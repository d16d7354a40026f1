/* SPDX-License-Identifier: MIT */
/* Numbers and strings in SSH's wire format (RFC 4251 section 5), and base64 as in its files. */
#ifndef SSH_WIRE_FORMAT_H
#define SSH_WIRE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

/* The four bytes at `at`. */
uint32_t wire_u32(const unsigned char *at);
/* Reads a string at *at, which moves past it. False if it does not end before `end`. */
bool wire_string(const unsigned char **at, const unsigned char *end, const unsigned char **string, size_t *n);
void wire_put_u32(struct buf *out, uint32_t n);
void wire_put_string(struct buf *out, const void *bytes, size_t n);

/* Standard base64, white space ignored. By libsodium, because OpenSSL's decoder keeps a line of what may be a
 * private key in memory that it does not wipe. -1 if invalid, or `out` has no room for n bytes. */
int base64_decode(const char *text, size_t n, struct buf *out);
void base64_encode(const void *bytes, size_t n, struct buf *out);

#endif
