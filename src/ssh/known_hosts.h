/*
 * What known_hosts files say (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read as ssh reads them: plain names,
 * lists, wildcards, negation, hashed names, [name]:port, @revoked and @cert-authority.
 */
#ifndef SSH_KNOWN_HOSTS_H
#define SSH_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>

enum known_mark { KNOWN_HOST, KNOWN_AUTHORITY, KNOWN_REVOKED };

/* One line that means something. */
struct known_key {
    const char *file; /* the list's */
    unsigned long line;
    enum known_mark mark;
    bool ours;   /* its names match the name that was looked for */
    bool bare;   /* or that name without its port */
    char *names; /* as they stand there; "|1|..." where hashed */
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
 * Adds a file's lines. `name` is in lower case; `bare` may be NULL. A file that is not there or that is no
 * regular file (/dev/null) has none; ERR_CONFIG where it is too large.
 */
int known_hosts_read(struct known_hosts *k, const char *path, const char *name, const char *bare,
                     struct err *e);
/* The same from memory. */
void known_hosts_parse(struct known_hosts *k, const char *path, const char *text, size_t n, const char *name,
                       const char *bare);

/* The name that the files have: NAME, or [NAME]:PORT where it is not 22; in lower case. Malloced. */
char *known_hosts_name(const char *host, unsigned port);
/* The first field of a line: the name, hashed with a new salt if wanted. */
void known_hosts_write_name(struct buf *out, const char *name, bool hashed);
/* The other two: type and key. */
void known_hosts_write_key(struct buf *out, const void *blob, size_t n);

/* The type of a key as its blob says it, from our table; NULL: none that we know. */
const char *host_key_type(const void *blob, size_t n);
/* "ED25519", as ssh calls it. */
const char *host_key_label(const char *type);
/* "SHA256:...", without padding. */
void host_key_fingerprint(struct buf *out, const void *blob, size_t n);

#endif
