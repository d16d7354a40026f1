/* SPDX-License-Identifier: MIT */
/*
 * Formats for connection parameters: one file each, one row in model/kinds.def. `broker params` prints a
 * format; `broker exec` sets its variables or fills in its placeholder. A value that a format cannot hold is
 * an error that names format and field, and is never changed silently. What a format can hold is in its row,
 * and is checked before its writer runs.
 */
#ifndef OUTPUT_FORMAT_H
#define OUTPUT_FORMAT_H

#include <base/buf.h>
#include <base/err.h>
#include <base/proc.h>
#include <output/client.h>
#include <output/connection.h>

enum shell { SHELL_SH, SHELL_FISH };

/* What a writer needs besides the connection. */
struct format_how {
    const char *profile;               /* the profile's name; NULL: made from a URL or options only */
    const struct connection *endpoint; /* the server's own address */
    enum flavour flavour;              /* the family of the MySQL client, for a `flavoured` format */
    enum shell shell;
    bool masked; /* write the password as ********, and so that programs do not take that for the password */
};

/* The TLS levels that a format can express, as bits. */
#define LEVEL(name) (1u << TLS_##name)
#define LEVELS_ALL                                                                                           \
    (LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(REQUIRED) | LEVEL(VERIFY_CA) | LEVEL(VERIFY_IDENTITY))

/* What else a format can hold. */
enum carries {
    CARRIES_SOCKET = 1,   /* a unix socket */
    CARRIES_CA = 2,       /* CA certificates; without it, only the system's, which the reader finds */
    CARRIES_CERT = 4,     /* the client's certificate and key */
    CARRIES_CIPHERS = 8,  /* the key tls_ciphers */
    CARRIES_VERSION = 16, /* the key tls_version */
    CARRIES_BYTES = 32,   /* any bytes; without it, only UTF-8 */
};
#define CARRIES_ALL                                                                                          \
    (CARRIES_SOCKET | CARRIES_CA | CARRIES_CERT | CARRIES_CIPHERS | CARRIES_VERSION | CARRIES_BYTES)

struct format {
    const char *name;
    const char *variable; /* the variable that `exec --format` sets; NULL: there is no common one */
    bool both_ends;       /* it contains the keeper's socket in addition to host and port */
    bool flavoured;       /* it depends on the family of the MySQL client */
    bool ascii_password;  /* its reader sends non-ASCII passwords in another encoding, so they are refused */
    bool no_secret;       /* it never contains the password */
    bool localhost_is_socket; /* its readers always take the name localhost for a unix socket */
    unsigned levels;          /* the TLS levels that it can express; 0: it has no TLS level */
    unsigned carries;         /* bits of enum carries */
    const char *not_in_user, *not_in_password, *not_in_database,
        *not_in_path; /* bytes that a path cannot contain; NULL: all are possible */
    /* Writes one line without a line end, for a placeholder and for `variable`. NULL: the format needs
     * several lines. */
    int (*line)(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e);
    /* Writes what `params` prints, if that is not only the line. */
    int (*write)(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e);
    /* Sets environment variables, if it is not only `variable`. */
    int (*environment)(const struct connection *c, struct env_changes *env, struct err *e);
};

const struct format *format_find(const char *name); /* returns NULL if there is no such format */
extern const struct format *const format_table[];   /* all formats, NULL-terminated */

/* Writes a format. ERR_DATA, naming format and field, if it cannot hold a value or the TLS level, or if the
 * result is too long. */
int format_write(const struct format *f, const struct connection *c, const struct format_how *how,
                 struct buf *out, struct err *e);
int format_line(const struct format *f, const struct connection *c, const struct format_how *how,
                struct buf *out, struct err *e);
/* Sets the format's environment variables. ERR_USAGE if it has none. */
int format_environment(const struct format *f, const struct connection *c, const struct format_how *how,
                       struct env_changes *env, struct err *e);

/* The names of single values, NULL-terminated: host port socket user password database ... */
extern const char *const field_names[];
/* Appends the value of a field; nothing if it is not set. Returns false if there is no such field. */
bool field_put(const char *name, const struct connection *c, const struct format_how *how, struct buf *out);

/* Appends the password's bytes unencoded, or the mask if `how` asks for it; nothing if there is no password.
 */
void password_put(const struct connection *c, const struct format_how *how, struct buf *out);

#endif
