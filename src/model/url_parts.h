/* SPDX-License-Identifier: MIT */
/* A mysql:// URL while it is parsed, for url*.c only: its parts, not yet decoded, and its parameters. */
#ifndef MODEL_URL_PARTS_H
#define MODEL_URL_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/profile.h>

struct span {
    const char *at; /* NULL: the part is missing, which differs from an empty part */
    size_t n;
};

struct url_parts {
    struct span scheme, user, password, host, port, path, query;
    struct span socket; /* used instead of host and port: unix(/PATH) or (/PATH) */
    struct span ssh_user, ssh_password, ssh_host, ssh_port; /* of TablePlus's mysql+ssh:// URLs */
    const char *fragment;                                   /* points to the `#` */
};

/* Splits a URL at "://", the last `@` before the path, and so on (RFC 3986). Also parses go-sql-driver's and
 * mysqlsh's addresses in parentheses. Checks nothing. `url` must contain "://". */
void url_split(const char *url, struct url_parts *out);

/* Takes the next NAME=VALUE from a query, both still encoded; `value` is NULL if there is no `=`. Returns
 * false at the end. */
bool url_next_parameter(struct span *query, struct span *name, struct span *value);

/* The parameters that are not keys of the config file. */
enum url_parameter {
    URL_TYPE,
    URL_SSH_HOST,
    URL_SSH_PORT,
    URL_SSH_USER,
    URL_SSH_KEY,
    URL_SSH_KEY_ENABLED,
    URL_SSH_SOCKET,
    URL_AUTO_CONNECT,
    URL_PARAMETERS
};

struct url {
    struct url_parts parts;
    struct profile *p;
    struct err *e;
    char *value[URL_PARAMETERS]; /* decoded; NULL: not given */
    bool is_jdbc;                /* a jdbc: URL, whose password is a parameter */
    bool is_prisma;              /* it has sslaccept, which only Prisma has */
    const char *least_tls;       /* the lowest TLS level that parameters such as useSSL ask for; NULL: any */
};

#define URL_MOST (4 * 65536) /* bytes: the longest password with each byte encoded, and the other parts */

/* Reports an error in the URL: ERR_DATA. With hint NULL, uses the general hint. Returns -1. */
int url_refuse(struct url *u, const char *hint, const char *why);
/* Sets a key; if it is repeated, the last value wins. `from` is the parameter. */
int url_set_key(struct url *u, enum key k, const char *text, const char *from);
/* Handles a parameter of another program (url_words.c). Returns 1 if it was used or ignored, 0 if it is
 * unknown, -1 on error. */
int url_take_word(struct url *u, const char *name, const char *value);
/* Sets the TLS level that such parameters ask for, after all have been read. */
int url_settle_tls(struct url *u);
/* Chooses the mode, drops the fields of other modes, and sets what the mode implies (url_mode.c). */
int url_settle_mode(struct url *u);

#endif
