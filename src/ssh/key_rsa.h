/* SPDX-License-Identifier: MIT */
/* The content of key files: the parts of OpenSSH's format; RSA by OpenSSL. For key.c. */
#ifndef SSH_KEY_RSA_H
#define SSH_KEY_RSA_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <ssh/key.h>

struct openssh_key {
    const unsigned char *blob, *secret; /* the public half; the private one, perhaps encrypted */
    size_t blob_length, secret_length;
    bool encrypted;
};
/* The parts of one key in PROTOCOL.key's format; they lie in `body`. */
int openssh_key_split(const char *text, struct buf *body, struct openssh_key *out);

/* Opens a PEM key with its passphrase: 0 success; its type is then known, and the blob of an RSA key. */
int rsa_key_examine(struct ssh_key *k);

#endif
