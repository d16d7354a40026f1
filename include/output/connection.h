/* SPDX-License-Identifier: MIT */
/*
 * The connection parameters for a client: computed by a plan, written by every format. All pointers are
 * borrowed; the plan owns them.
 */
#ifndef OUTPUT_CONNECTION_H
#define OUTPUT_CONNECTION_H

#include <stdbool.h>
#include <time.h>

#include <base/secret.h>

enum tls_level { TLS_DISABLED, TLS_PREFERRED, TLS_REQUIRED, TLS_VERIFY_CA, TLS_VERIFY_IDENTITY };
const char *tls_level_name(enum tls_level level); /* "verify-ca" */
enum tls_level tls_level_parse(const char *name); /* the name must be valid; keys.def has checked it */

/* As MySQL's own clients spell it: "VERIFY_CA". */
const char *tls_level_ssl_mode(enum tls_level level);

struct connection {
    const char *user;              /* NULL: the client's own option files decide */
    const struct secret *password; /* NULL: the same */
    const char *host;              /* NULL: over the socket */
    unsigned port;
    const char *socket; /* with a host only for a format that has both addresses */
    const char *database;
    enum tls_level tls;
    bool system_ca;       /* tls_ca is the system's own file */
    bool tls_version_set; /* by the profile */
    const char *tls_ca, *tls_cert, *tls_key, *tls_ciphers, *tls_version;
    bool cleartext, server_public_key, compress, local_infile;
    bool fixed;            /* no silent reconnect: the credential expires, or a keeper is in the path */
    const char *time_zone; /* NULL: do not set it */
    unsigned connect_timeout;
    const char *plugin_dir;      /* MariaDB: the plug-ins that may be loaded; NULL: all */
    const char *const *includes; /* the user's own option files, NULL-terminated */
    time_t expires_at;           /* 0: never */
};

#endif
