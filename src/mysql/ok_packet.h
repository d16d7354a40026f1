/* SPDX-License-Identifier: MIT */
/* The packet by which a server admits a client ("Protocol::OK_Packet" in MySQL's source documentation). */
#ifndef MYSQL_OK_PACKET_H
#define MYSQL_OK_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

/*
 * Appends its body without what MariaDB, from 11.4 on, vouches for its certificate with: a text that begins
 * with byte 1, a digest of the password's hash and the certificate, for clients that have no authority to
 * verify it with. The client here has another password, and no certificate.
 */
void ok_without_vouching(struct buf *out, const uint8_t *body, size_t n);

#endif
