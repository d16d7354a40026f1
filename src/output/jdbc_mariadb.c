/* SPDX-License-Identifier: MIT */
/* Writes the URL of MariaDB's Java driver. The driver decodes nothing, so characters that would end a part
 * cannot be written. It has no name for `preferred`; nothing is written then, and it connects without TLS. */
#include "write.h"

static void put_raw(struct query *q, const char *key, const char *value)
{
    if (!value)
        return;
    buf_printf(q->out, "%c%s=%s", q->separator, key, value);
    q->separator = '&';
}

static int mariadb_line(const struct connection *c, const struct format_how *how, struct buf *out,
                        struct err *e)
{
    static const char *const words[] = {"disable", NULL, "trust", "verify-ca", "verify-full"};
    struct query q = QUERY(out);

    (void)e;
    buf_puts(out, "jdbc:mariadb://");
    text_address(out, c->host ? c->host : "localhost", c->host ? (long)c->port : -1);
    buf_printf(out, "/%s", c->database ? c->database : "");
    put_raw(&q, "user", c->user);
    if (c->password) {
        buf_printf(out, "%cpassword=", q.separator);
        put_password(out, c, how, encode_raw);
        q.separator = '&';
    }
    put_raw(&q, "localSocket", c->host ? NULL : c->socket);
    put_raw(&q, "sslMode", words[c->tls]);
    put_raw(&q, "serverSslCert", ca_of(c));
    put_raw(&q, "allowPublicKeyRetrieval", c->server_public_key ? "true" : NULL);
    return 0;
}

const struct format format_jdbc_mariadb = {.name = "jdbc-mariadb",
                                           .variable = "JDBC_DATABASE_URL",
                                           .levels = LEVELS_ALL,
                                           .carries = CARRIES_CA,
                                           .not_in_user = "&",
                                           .not_in_password = "&",
                                           .not_in_database = "?",
                                           .not_in_path = "&",
                                           .line = mariadb_line};
