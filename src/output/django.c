/* SPDX-License-Identifier: MIT */
/* Writes DATABASE_URL as dj-database-url and django-environ read it for Django: parameters become options of
 * mysqlclient. Only dj-database-url knows `ssl-ca`. */
#include "write.h"

static int django_line(const struct connection *c, const struct format_how *how, struct buf *out,
                       struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql", c, how);
    query_put(&q, "unix_socket", c->host ? NULL : c->socket);
    query_put(&q, "ssl_mode", c->host ? tls_level_ssl_mode(c->tls) : NULL);
    query_put(&q, "ssl-ca", ca_of(c));
    return 0;
}

const struct format format_django = {.name = "django",
                                     .variable = "DATABASE_URL",
                                     .localhost_is_socket = true,
                                     .levels = LEVELS_ALL,
                                     .carries = CARRIES_SOCKET | CARRIES_CA,
                                     .line = django_line};
