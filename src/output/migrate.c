/* SPDX-License-Identifier: MIT */
/* Writes golang-migrate's URL: a data source name of Go's driver after mysql://, but with user and password
 * encoded, and with a file of CA certificates. */
#include "write.h"

/* golang-migrate reads `x-tls-ca` only if `tls` is the name of a custom TLS configuration. */
static int migrate_line(const struct connection *c, const struct format_how *how, struct buf *out,
                        struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    buf_puts(out, "mysql://");
    go_dsn_put(out, c, how, encode_percent);
    if (!ca_of(c)) {
        go_tls_put(&q, c);
        return 0;
    }
    query_put(&q, "tls", "broker");
    query_put(&q, "x-tls-ca", ca_of(c));
    query_put(&q, "x-tls-cert", cert_of(c));
    query_put(&q, "x-tls-key", key_of(c));
    query_put(&q, "allowCleartextPasswords", c->cleartext ? "true" : NULL);
    return 0;
}

const struct format format_migrate = {.name = "golang-migrate",
                                      .levels = GO_LEVELS,
                                      .carries = CARRIES_SOCKET | CARRIES_CA | CARRIES_BYTES,
                                      .not_in_path = "@()",
                                      .line = migrate_line};
