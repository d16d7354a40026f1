/* SPDX-License-Identifier: MIT */
/*
 * Writes DATABASE_URL: mysql://USER:PASSWORD@HOST:PORT/DATABASE, strictly percent-encoded (RFC 3986). Every
 * reader accepts this and connects to that address. A parameter is written only if it is needed: SQLAlchemy,
 * Django and others refuse unknown ones, and many ignore `socket` and would connect to localhost.
 */
#include "write.h"

static int url_line(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql", c, how);
    query_put(&q, "socket", c->host ? NULL : c->socket);
    query_put(&q, "ssl-mode", c->tls >= TLS_REQUIRED ? tls_level_ssl_mode(c->tls) : NULL);
    query_put(&q, "ssl-ca", ca_of(c));
    query_put(&q, "ssl-cert", cert_of(c));
    query_put(&q, "ssl-key", key_of(c));
    return 0;
}

const struct format format_url = {.name = "url",
                                  .variable = "DATABASE_URL",
                                  .levels = LEVELS_ALL,
                                  .carries = CARRIES_SOCKET | CARRIES_CA | CARRIES_CERT | CARRIES_BYTES,
                                  .line = url_line};
