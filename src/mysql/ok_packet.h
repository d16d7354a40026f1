/* SPDX-License-Identifier: MIT */
/* The packet with which a server accepts a login ("Protocol::OK_Packet" in MySQL's source documentation). */
#ifndef MYSQL_OK_PACKET_H
#define MYSQL_OK_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

/*
 * Appends the packet's body without the text with which MariaDB (since 11.4) proves its certificate: a byte
 * 1, and a digest of the password's hash and the certificate, for clients that have no CA certificate to
 * verify it with. The client here has another password and does not see the certificate, so the proof would
 * be wrong.
 */
void ok_without_vouching(struct buf *out, const uint8_t *body, size_t n);

#endif
