/* SPDX-License-Identifier: MIT */
/* Writes Connector/J's URL. Connector/J decodes each part, and reads CA certificates only from Java's key
 * stores. */
#include "write.h"

static int jdbc_line(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    struct connection place = *c;
    struct query q = QUERY(out);

    (void)e;
    place.user = NULL;
    place.password = NULL;
    url_begin(out, "jdbc:mysql", &place, how);
    query_put(&q, "user", c->user);
    if (c->password) {
        buf_putc(out, q.separator);
        buf_puts(out, "password=");
        put_password(out, c, how, encode_percent);
        q.separator = '&';
    }
    query_put(&q, "sslMode", tls_level_ssl_mode(c->tls));
    query_put(&q, "allowPublicKeyRetrieval", c->server_public_key ? "true" : NULL);
    return 0;
}

const struct format format_jdbc = {.name = "jdbc",
                                   .variable = "JDBC_DATABASE_URL",
                                   .levels = LEVELS_ALL,
                                   .not_in_database = " ",
                                   .line = jdbc_line};
