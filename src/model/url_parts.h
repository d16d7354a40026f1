/* SPDX-License-Identifier: MIT */
/* A mysql:// URL while it is read, for the url*.c files only: its parts, nothing decoded, and its parameters.
 */
#ifndef MODEL_URL_PARTS_H
#define MODEL_URL_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/profile.h>

struct span {
    const char *at; /* NULL: the part is missing, which differs from empty */
    size_t n;
};

struct url_parts {
    struct span scheme, user, password, host, port, path, query;
    struct span socket; /* instead of host and port: unix(/PATH), (/PATH) */
    struct span ssh_user, ssh_password, ssh_host, ssh_port; /* of mysql+ssh://, TablePlus's */
    const char *fragment;                                   /* at the `#` */
};

/* Cuts at "://", the authority's last `@`, and so on (RFC 3986); parses go-sql-driver's and mysqlsh's
 * addresses in parentheses; checks nothing. `url` contains "://". */
void url_split(const char *url, struct url_parts *out);

/* Takes the next NAME=VALUE off a query, both still encoded; `value` is NULL without `=`. False at the end.
 */
bool url_next_parameter(struct span *query, struct span *name, struct span *value);

/* The parameters that are not keys. */
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
    char *value[URL_PARAMETERS]; /* decoded; NULL if not given */
    bool is_jdbc;                /* whose password is a parameter */
    const char *least_tls;       /* requested by words that do not name a level; NULL */
};

#define URL_MOST (4 * 65536) /* bytes: the longest password, each byte encoded, and the rest */

/* ERR_DATA about the URL; hint NULL: the general one. Returns -1. */
int url_refuse(struct url *u, const char *hint, const char *why);
/* Sets a key; of a repeated one the last value counts. `from` is the parameter. */
int url_set_key(struct url *u, enum key k, const char *text, const char *from);
/* Another program's parameter (url_words.c): 1 used or ignored, 0 unknown, -1 error. */
int url_take_word(struct url *u, const char *name, const char *value);
/* The TLS level that such parameters ask for, once all are read. */
int url_settle_tls(struct url *u);
/* Chooses the mode, drops what belongs to another one, and sets what the mode implies (url_mode.c). */
int url_settle_mode(struct url *u);

#endif
