/* SPDX-License-Identifier: MIT */
/*
 * A user's private key, as the engine libssh2 needs it: its type, its public half, whether it needs a
 * passphrase. Ed25519 and ECDSA keys are read and used by libssh2 itself; RSA keys by OpenSSL, because
 * libssh2 1.10 signs with SHA-1 only. Keys in an agent are only named.
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
    char *name;        /* its file; the agent's comment */
    char type[64];     /* "ssh-ed25519"; empty: not known before it is unlocked */
    struct buf blob;   /* public, RFC 4253 section 6.6; empty: not known yet, or only to libssh2 */
    bool in_agent;     /* the agent signs */
    bool openssh;      /* the file has OpenSSH's own format */
    bool encrypted;    /* a passphrase is needed */
    bool unlocked;     /* `phrase` is assumed to be right */
    bool half;         /* only the public half: it names a key in the agent */
    bool stray;        /* the .pub beside it belongs to another key */
    const char *lacks; /* a kind of key that this engine cannot use, "a FIDO key"; NULL: usable */
    struct secret *text, *phrase;
};

struct ssh_keys {
    struct ssh_key **key;
    size_t count;
};
void ssh_keys_add(struct ssh_keys *keys, struct ssh_key *key);
/* Releases a key that was not used. */
void ssh_keys_remove(struct ssh_keys *keys, size_t index);
void ssh_keys_release(struct ssh_keys *keys);
void ssh_key_free(struct ssh_key *k);

/* Parses a key from the text of its file and of its .pub (may be NULL); pure. Takes ownership of `text`.
 * ERR_DATA. */
int ssh_key_parse(const char *name, struct secret *text, const char *pub, struct ssh_key **out,
                  struct err *e);
/* Reads PATH and PATH.pub; either may be only the public half. 0, 1: no such file, -1: ERR_IO, ERR_CONFIG
 * (others can read it), ERR_DATA. */
int ssh_key_load(const char *path, struct ssh_key **out, struct err *e);
/* A detail for a key that did not work: its .pub belongs to another key, and how to fix that. Nothing if it
 * does not. */
void ssh_key_add_stray(const struct ssh_key *k, struct err *e);
/* The hint for a public key that was given in place of the private one. */
void ssh_key_mend_half(const struct ssh_key *k, struct buf *out);
/* A key in an agent. */
struct ssh_key *ssh_key_in_agent(const unsigned char *blob, size_t n, const char *comment, size_t length);

/* Whether OpenSSL signs with it. */
bool ssh_key_is_rsa(const struct ssh_key *k);
/* Tries a passphrase and takes ownership of it. False: wrong. If only libssh2 can check it, it is assumed to
 * be right. */
bool ssh_key_unlock(struct ssh_key *k, struct secret *phrase);
void ssh_key_lock(struct ssh_key *k);
/* rsa-sha2-512 (RFC 8332) over the bytes. ERR_DATA. */
int ssh_key_sign_rsa(const struct ssh_key *k, const void *data, size_t n, struct buf *signature,
                     struct err *e);
/* The public half as libssh2 must send it: an RSA key under the name of its signature, because libssh2 1.10
 * takes the name from there; OpenSSH's server accepts that. */
void ssh_key_wire_blob(const struct ssh_key *k, struct buf *out);
/* The same as a line of a .pub file. Empty if the blob is unknown. */
void ssh_key_public_line(const struct ssh_key *k, struct buf *out);

#endif
