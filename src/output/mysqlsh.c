/* SPDX-License-Identifier: MIT */
/* Writes MySQL Shell's URI: a socket's path is in parentheses, and each parameter occurs at most once. */
#include "write.h"

#include <stddef.h>

static int mysqlsh_line(const struct connection *c, const struct format_how *how, struct buf *out,
                        struct err *e)
{
    static const char *const words[] = {"disabled", "preferred", "required", "verify_ca", "verify_identity"};
    struct query q = QUERY(out);

    (void)e;
    if (c->host) {
        url_begin(out, "mysql", c, how);
    } else {
        buf_puts(out, "mysql://");
        url_login(out, c, how, encode_percent);
        buf_printf(out, "(%s)/", c->socket);
        if (c->database)
            put_encoded(out, c->database);
    }
    query_put(&q, "ssl-mode", c->host ? words[c->tls] : NULL);
    query_put(&q, "ssl-ca", ca_of(c));
    query_put(&q, "ssl-cert", cert_of(c));
    query_put(&q, "ssl-key", key_of(c));
    query_put(&q, "ssl-cipher", ciphers_of(c));
    query_put(&q, "get-server-public-key", c->server_public_key ? "true" : NULL);
    return 0;
}

const struct format format_mysqlsh = {.name = "mysqlsh",
                                      .levels = LEVELS_ALL,
                                      .carries = CARRIES_SOCKET | CARRIES_CA | CARRIES_CERT | CARRIES_CIPHERS,
                                      .not_in_path = "()",
                                      .line = mysqlsh_line};
