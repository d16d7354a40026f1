/* SPDX-License-Identifier: MIT */
/*
 * Writes SQLAlchemy's URL for PyMySQL. Any TLS parameter makes TLS mandatory. Without CA certificates nothing
 * is verified; with them chain and name are, unless the name check is turned off. `preferred` is PyMySQL's
 * default and needs no parameter.
 */
#include "write.h"

static int sqlalchemy_line(const struct connection *c, const struct format_how *how, struct buf *out,
                           struct err *e)
{
    static const char *const names[] = {NULL, NULL, "false", "false", "true"};
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql+pymysql", c, how);
    query_put(&q, "unix_socket", c->host ? NULL : c->socket);
    query_put(&q, "ssl_disabled", c->tls == TLS_DISABLED && c->host ? "true" : NULL);
    query_put(&q, "ssl_check_hostname", names[c->tls]);
    query_put(&q, "ssl_ca", ca_of(c));
    query_put(&q, "ssl_cert", cert_of(c));
    query_put(&q, "ssl_key", key_of(c));
    query_put(&q, "ssl_cipher", ciphers_of(c));
    return 0;
}

const struct format format_sqlalchemy = {.name = "sqlalchemy",
                                         .variable = "DATABASE_URL",
                                         .ascii_password = true, /* PyMySQL sends the password as Latin-1 */
                                         .levels = LEVELS_ALL,
                                         .carries =
                                             CARRIES_SOCKET | CARRIES_CA | CARRIES_CERT | CARRIES_CIPHERS,
                                         .line = sqlalchemy_line};
