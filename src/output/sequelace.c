/* SPDX-License-Identifier: MIT */
/* Writes Sequel Ace's URL. It cannot contain a TLS level, and Sequel Ace refuses a URL with an unknown
 * parameter. */
#include "write.h"

static int sequelace_line(const struct connection *c, const struct format_how *how, struct buf *out,
                          struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql", c, how);
    query_put(&q, "type", c->host ? "tcpip" : "socket");
    query_put(&q, "socket", c->host ? NULL : c->socket);
    query_put(&q, "enable_cleartext_plugin", c->cleartext ? "1" : NULL);
    query_put(&q, "get_server_public_key", c->server_public_key ? "1" : NULL);
    return 0;
}

const struct format format_sequelace = {.name = "sequelace",
                                        .levels = LEVEL(DISABLED) | LEVEL(PREFERRED),
                                        .carries = CARRIES_SOCKET,
                                        .line = sequelace_line};
