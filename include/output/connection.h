/* SPDX-License-Identifier: MIT */
/* The connection parameters for a client: computed by a plan, written by every format. All pointers are
 * borrowed from the plan. */
#ifndef OUTPUT_CONNECTION_H
#define OUTPUT_CONNECTION_H

#include <stdbool.h>
#include <time.h>

#include <base/secret.h>

enum tls_level { TLS_DISABLED, TLS_PREFERRED, TLS_REQUIRED, TLS_VERIFY_CA, TLS_VERIFY_IDENTITY };
const char *tls_level_name(enum tls_level level); /* returns a name such as "verify-ca" */
enum tls_level tls_level_parse(const char *name); /* the name must be valid; key_check() has checked it */

/* Returns the name that MySQL's own clients use, such as "VERIFY_CA". */
const char *tls_level_ssl_mode(enum tls_level level);

struct connection {
    const char *user;              /* NULL: the client uses its own option files */
    const struct secret *password; /* NULL: the client uses its own option files */
    const char *host;              /* NULL: use the socket */
    unsigned port;
    const char *socket; /* set together with a host only for formats that hold both addresses */
    const char *database;
    enum tls_level tls;
    bool system_ca;       /* tls_ca is the system's CA file */
    bool tls_version_set; /* tls_version is set in the profile */
    const char *tls_ca, *tls_cert, *tls_key, *tls_ciphers, *tls_version;
    bool cleartext, server_public_key, compress, local_infile;
    bool fixed;            /* do not reconnect silently: the credential expires, or a keeper is used */
    const char *time_zone; /* the session's time zone; NULL: the server's */
    unsigned connect_timeout;
    const char *plugin_dir; /* MariaDB: the folder with the plug-ins that may be loaded; NULL: the default */
    const char *const *includes; /* the user's own option files, NULL-terminated */
    time_t expires_at;           /* 0: does not expire */
};

/* For programs that do not read our option file: makes a host that they would take for a unix socket an
 * address, unless its name is verified in the certificate. */
void connection_by_tcp(struct connection *c);

#endif
