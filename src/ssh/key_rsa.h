/* SPDX-License-Identifier: MIT */
/* The content of private key files, for key.c: OpenSSH's format, and RSA keys with OpenSSL. */
#ifndef SSH_KEY_RSA_H
#define SSH_KEY_RSA_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <ssh/key.h>

struct openssh_key {
    const unsigned char *blob, *secret; /* the public key; the private key, perhaps encrypted */
    size_t blob_length, secret_length;
    bool encrypted;
};
/* Parses a file in PROTOCOL.key's format that has one key; the parts in *out point into `body`. Returns 0 or
 * -1. */
int openssh_key_split(const char *text, struct buf *body, struct openssh_key *out);

/* Opens a PEM key with its passphrase. Returns 0 on success; the key's type is then known, and the public key
 * if it is an RSA key. */
int rsa_key_examine(struct ssh_key *k);

#endif
