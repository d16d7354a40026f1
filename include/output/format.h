/* SPDX-License-Identifier: MIT */
/*
 * Formats for parameters: one file each, one row in model/kinds.def. `broker params` prints a format, `broker
 * exec` sets its variables or fills its placeholder. A value that a format cannot hold is an error that names
 * the format and the field, never a silent change; what each can hold is in its row, and checked before its
 * writer runs.
 */
#ifndef OUTPUT_FORMAT_H
#define OUTPUT_FORMAT_H

#include <base/buf.h>
#include <base/err.h>
#include <base/proc.h>
#include <output/client.h>
#include <output/connection.h>

enum shell { SHELL_SH, SHELL_FISH };

/* What a writer must know besides the connection. */
struct format_how {
    const char *profile;               /* its name; NULL: of a URL or of flags */
    const struct connection *endpoint; /* the server's own place */
    enum flavour flavour;              /* of the stock client, for a format that is `flavoured` */
    enum shell shell;
    bool masked; /* the password is shown as ********, in such a way that no program takes that for one */
};

/* The levels of TLS that a format can say, as bits. */
#define LEVEL(name) (1u << TLS_##name)
#define LEVELS_ALL                                                                                           \
    (LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(REQUIRED) | LEVEL(VERIFY_CA) | LEVEL(VERIFY_IDENTITY))

/* What else it has a place for. */
enum carries {
    CARRIES_SOCKET = 1, /* a unix socket */
    CARRIES_CA = 2,     /* a file of authorities; without: only the system's, which its reader finds itself */
    CARRIES_CERT = 4,   /* the client's certificate and key */
    CARRIES_CIPHERS = 8,  /* tls_ciphers */
    CARRIES_VERSION = 16, /* tls_version */
    CARRIES_BYTES = 32,   /* any bytes; without: UTF-8 only */
};
#define CARRIES_ALL                                                                                          \
    (CARRIES_SOCKET | CARRIES_CA | CARRIES_CERT | CARRIES_CIPHERS | CARRIES_VERSION | CARRIES_BYTES)

struct format {
    const char *name;
    const char *variable; /* set by `exec --format`; NULL: none is common */
    bool both_ends;       /* it contains the keeper's socket even beside host and port */
    bool flavoured;       /* it depends on the family of the stock client */
    bool ascii_password;  /* its reader sends other characters in another encoding */
    bool no_secret;       /* it never contains the password */
    unsigned levels;      /* the TLS levels that it can express; 0: it says nothing about TLS */
    unsigned carries;     /* enum carries */
    const char *not_in_user, *not_in_password, *not_in_database,
        *not_in_path; /* bytes that it cannot hold there; NULL: it can hold all */
    /* Writes one line without its end, for a placeholder and `variable`. NULL: it needs several. */
    int (*line)(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e);
    /* Writes what `params` prints, if that is not just the line. */
    int (*write)(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e);
    /* Writes environment variables, if that is not just `variable`. */
    int (*environment)(const struct connection *c, struct env_changes *env, struct err *e);
};

const struct format *format_find(const char *name); /* NULL: no such format */
extern const struct format *const format_table[];   /* NULL-terminated */

/* ERR_DATA, naming format and field, for a value or a level of TLS that it cannot carry, and for what is too
 * long. */
int format_write(const struct format *f, const struct connection *c, const struct format_how *how,
                 struct buf *out, struct err *e);
int format_line(const struct format *f, const struct connection *c, const struct format_how *how,
                struct buf *out, struct err *e);
/* ERR_USAGE for a format that sets no variable. */
int format_environment(const struct format *f, const struct connection *c, const struct format_how *how,
                       struct env_changes *env, struct err *e);

/* The names of single values, NULL-terminated: host port socket user password database ... */
extern const char *const field_names[];
/* Appends that value; nothing where there is none. False: no such field. */
bool field_put(const char *name, const struct connection *c, const struct format_how *how, struct buf *out);

/* The password, its bytes as they are, in the masked form where that is asked for; nothing where there is
 * none. */
void password_put(const struct connection *c, const struct format_how *how, struct buf *out);

#endif
