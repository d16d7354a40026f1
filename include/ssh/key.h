/* SPDX-License-Identifier: MIT */
/*
 * A user's private key, as the libssh2 engine needs it: its type, its public key, whether it needs a
 * passphrase. Ed25519 and ECDSA keys are read and used by libssh2 itself; RSA keys by OpenSSL, because
 * libssh2 1.10 signs with SHA-1 only. For a key in an agent only the public key is known.
 */
#ifndef SSH_KEY_H
#define SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>

#define SSH_KEY_MAX 65536
#define SSH_BLOB_MAX 16384

struct ssh_key {
    char *name;        /* the file, or the agent's comment */
    char type[64];     /* "ssh-ed25519"; "": not known before the key is unlocked */
    struct buf blob;   /* public key, RFC 4253 section 6.6; empty: not known yet, or known only to libssh2 */
    bool in_agent;     /* the key is in an agent, which signs */
    bool openssh;      /* the file has OpenSSH's own format */
    bool encrypted;    /* a passphrase is needed */
    bool unlocked;     /* the passphrase `phrase` is assumed to be right */
    bool half;         /* only a public key, which names a key in the agent */
    bool stray;        /* the .pub file next to it belongs to another key */
    const char *lacks; /* why this engine cannot use the key, "a FIDO key"; NULL: it can */
    struct secret *text, *phrase;
};

struct ssh_keys {
    struct ssh_key **key;
    size_t count;
};
void ssh_keys_add(struct ssh_keys *keys, struct ssh_key *key);
/* Removes and frees the key at position `index`. */
void ssh_keys_remove(struct ssh_keys *keys, size_t index);
void ssh_keys_release(struct ssh_keys *keys);
void ssh_key_free(struct ssh_key *k);

/* Parses a key from the text of its file and of its .pub file (may be NULL); does no I/O. Takes ownership of
 * `text`. Returns 0, or -1 with ERR_DATA. */
int ssh_key_parse(const char *name, struct secret *text, const char *pub, struct ssh_key **out,
                  struct err *e);
/* Reads PATH and PATH.pub; one of them may be missing, or PATH may be a public key. Returns 0; 1 if there is
 * no such file; -1 with ERR_IO, ERR_CONFIG (other users can read the file) or ERR_DATA. */
int ssh_key_load(const char *path, struct ssh_key **out, struct err *e);
/* If the .pub file of a key that did not work belongs to another key, adds a detail that says so and how to
 * fix it. */
void ssh_key_add_stray(const struct ssh_key *k, struct err *e);
/* Appends the hint for a public key that was given instead of the private one. */
void ssh_key_mend_half(const struct ssh_key *k, struct buf *out);
/* Returns a new key for a public key that an agent listed. */
struct ssh_key *ssh_key_in_agent(const unsigned char *blob, size_t n, const char *comment, size_t length);

/* Returns whether OpenSSL signs with this key. */
bool ssh_key_is_rsa(const struct ssh_key *k);
/* Tries a passphrase and takes ownership of it. Returns false if it is wrong. If only libssh2 can check it,
 * it is assumed to be right. */
bool ssh_key_unlock(struct ssh_key *k, struct secret *phrase);
void ssh_key_lock(struct ssh_key *k);
/* Signs the bytes with rsa-sha2-512 (RFC 8332). Returns 0, or -1 with ERR_DATA. */
int ssh_key_sign_rsa(const struct ssh_key *k, const void *data, size_t n, struct buf *signature,
                     struct err *e);
/* Appends the public key as libssh2 must send it: an RSA key under the name of the signature algorithm,
 * because libssh2 1.10 takes the algorithm from there; OpenSSH's server accepts that. */
void ssh_key_wire_blob(const struct ssh_key *k, struct buf *out);
/* Appends the public key as a line of a .pub file. Appends nothing if the public key is unknown. */
void ssh_key_public_line(const struct ssh_key *k, struct buf *out);

#endif
