/* SPDX-License-Identifier: MIT */
/*
 * The content of known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read as ssh does: plain names,
 * lists, wildcards, negation, hashed names, [name]:port, @revoked and @cert-authority.
 */
#ifndef SSH_KNOWN_HOSTS_H
#define SSH_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>

enum known_mark { KNOWN_HOST, KNOWN_AUTHORITY, KNOWN_REVOKED };

/* A valid line. */
struct known_key {
    const char *file; /* owned by the list */
    unsigned long line;
    enum known_mark mark;
    bool ours;   /* its names match the name that is looked up */
    bool bare;   /* or they match that name without its port */
    char *names; /* as written; "|1|..." if hashed */
    const char *type;
    unsigned char *blob; /* the public key, RFC 4253 section 6.6 */
    size_t len;
};

struct known_hosts {
    struct known_key *key;
    size_t count;
    char **file;
    size_t files;
};
#define AUTO_KNOWN_HOSTS(name) __attribute__((cleanup(known_hosts_release))) struct known_hosts name = {0}
void known_hosts_release(struct known_hosts *k);

/*
 * Adds the lines of a file. `name` is in lower case; `bare` may be NULL. A file that is missing or not
 * regular (/dev/null) counts as empty. Returns 0, or -1 with ERR_CONFIG if the file is too large.
 */
int known_hosts_read(struct known_hosts *k, const char *path, const char *name, const char *bare,
                     struct err *e);
/* Adds lines from memory. */
void known_hosts_parse(struct known_hosts *k, const char *path, const char *text, size_t n, const char *name,
                       const char *bare);

/* Returns the name as in the files: NAME, or [NAME]:PORT if the port is not 22; in lower case. Malloced. */
char *known_hosts_name(const char *host, unsigned port);
/* Appends the first field of a line: the name, hashed with a new salt if requested. */
void known_hosts_write_name(struct buf *out, const char *name, bool hashed);
/* Appends the other two fields: type and key. */
void known_hosts_write_key(struct buf *out, const void *blob, size_t n);

/* Returns the type of a key from its blob, as a constant string, or NULL if it is unknown. */
const char *host_key_type(const void *blob, size_t n);
/* Returns ssh's name of a type: "ED25519". */
const char *host_key_label(const char *type);
/* Appends the fingerprint "SHA256:...", without padding. */
void host_key_fingerprint(struct buf *out, const void *blob, size_t n);

#endif
