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

/* One valid line. */
struct known_key {
    const char *file; /* the list's */
    unsigned long line;
    enum known_mark mark;
    bool ours;   /* its names match the name that was looked for */
    bool bare;   /* or that name without its port */
    char *names; /* as written; "|1|..." if hashed */
    const char *type;
    unsigned char *blob; /* RFC 4253 section 6.6 */
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
 * Adds a file's lines. `name` is in lower case; `bare` may be NULL. A missing or non-regular file (/dev/null)
 * has none; ERR_CONFIG if it is too large.
 */
int known_hosts_read(struct known_hosts *k, const char *path, const char *name, const char *bare,
                     struct err *e);
/* The same from memory. */
void known_hosts_parse(struct known_hosts *k, const char *path, const char *text, size_t n, const char *name,
                       const char *bare);

/* The name as in the files: NAME, or [NAME]:PORT if the port is not 22; in lower case. Malloced. */
char *known_hosts_name(const char *host, unsigned port);
/* The first field of a line: the name, hashed with a new salt if requested. */
void known_hosts_write_name(struct buf *out, const char *name, bool hashed);
/* The other two: type and key. */
void known_hosts_write_key(struct buf *out, const void *blob, size_t n);

/* The type of a key from its blob, as in our table; NULL: unknown. */
const char *host_key_type(const void *blob, size_t n);
/* "ED25519", as ssh calls it. */
const char *host_key_label(const char *type);
/* "SHA256:...", without padding. */
void host_key_fingerprint(struct buf *out, const void *blob, size_t n);

#endif
