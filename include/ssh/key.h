/*
 * A user's private key as far as the engine libssh2 needs it: what it is, its public half, whether it wants a
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
    bool unlocked;     /* `phrase` is thought to be right */
    bool half;         /* the public one alone: it names a key of the agent */
    bool stray;        /* the .pub beside it is of another key */
    const char *lacks; /* what it is that this engine cannot use, "a FIDO key"; NULL: nothing */
    struct secret *text, *phrase;
};

struct ssh_keys {
    struct ssh_key **key;
    size_t count;
};
void ssh_keys_add(struct ssh_keys *keys, struct ssh_key *key);
/* Drops one that was not used. */
void ssh_keys_remove(struct ssh_keys *keys, size_t index);
void ssh_keys_release(struct ssh_keys *keys);
void ssh_key_free(struct ssh_key *k);

/* What a file holds, by its text and that of its .pub (may be NULL); pure. Takes `text` over. ERR_DATA. */
int ssh_key_parse(const char *name, struct secret *text, const char *pub, struct ssh_key **out,
                  struct err *e);
/* Reads PATH and PATH.pub, of which either may be the public half alone. 0, 1: there is no such file, -1:
 * ERR_IO, ERR_CONFIG (others may read it), ERR_DATA. */
int ssh_key_load(const char *path, struct ssh_key **out, struct err *e);
/* For a person, where it was no use: a detail that says that its .pub is of another key, and how that is
 * mended. Nothing where it is not. */
void ssh_key_add_stray(const struct ssh_key *k, struct err *e);
/* The same for a public key that was given in place of the private one: what to do, without the detail. */
void ssh_key_mend_half(const struct ssh_key *k, struct buf *out);
/* One that an agent has. */
struct ssh_key *ssh_key_in_agent(const unsigned char *blob, size_t n, const char *comment, size_t length);

/* Whether OpenSSL signs with it. */
bool ssh_key_is_rsa(const struct ssh_key *k);
/* Tries a passphrase (taken over). False: it is wrong. Where only libssh2 can tell, it is taken for right. */
bool ssh_key_unlock(struct ssh_key *k, struct secret *phrase);
void ssh_key_lock(struct ssh_key *k);
/* rsa-sha2-512 (RFC 8332) over the bytes. ERR_DATA. */
int ssh_key_sign_rsa(const struct ssh_key *k, const void *data, size_t n, struct buf *signature,
                     struct err *e);
/* The public half as libssh2 is to send it: an RSA key under the name of its signature, which is where
 * libssh2 1.10 takes that name from and which OpenSSH's server understands. */
void ssh_key_wire_blob(const struct ssh_key *k, struct buf *out);
/* The same as a line of a .pub file. Empty where the blob is not known. */
void ssh_key_public_line(const struct ssh_key *k, struct buf *out);

#endif
