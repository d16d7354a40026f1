/* SPDX-License-Identifier: MIT */
/*
 * Writes data source names of go-sql-driver/mysql: USER:PASSWORD@tcp(HOST:PORT)/DATABASE?tls=... Its parser
 * splits at the last `/`, then at the last `@` before it, then at the first `:`, and does not decode user or
 * password.
 */
#include "write.h"

#include <stddef.h>

static const char *const words[] = {"false", "preferred", "skip-verify", NULL, "true"};

void go_tls_put(struct query *q, const struct connection *c)
{
    query_put(q, "tls", c->host ? words[c->tls] : NULL);
    query_put(q, "allowCleartextPasswords", c->cleartext ? "true" : NULL);
}

void go_dsn_put(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode)
{
    url_login(out, c, how, encode);
    if (c->host) {
        buf_puts(out, "tcp(");
        text_address(out, c->host, (long)c->port);
        buf_puts(out, ")/");
    } else {
        buf_printf(out, "unix(%s)/", c->socket);
    }
    if (c->database)
        put_encoded(out, c->database);
}

static int go_line(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    go_dsn_put(out, c, how, encode_raw);
    go_tls_put(&q, c);
    return 0;
}

const struct format format_go = {.name = "go",
                                 .levels = GO_LEVELS,
                                 .carries = CARRIES_SOCKET | CARRIES_BYTES,
                                 .not_in_user = ":",
                                 .not_in_path = "@()",
                                 .line = go_line};
