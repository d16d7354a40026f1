/* SPDX-License-Identifier: MIT */
/* Writes settings for Rails with mysql2: the keys of one environment in database.yml, or DATABASE_URL. Rails
 * runs ERB over that file, so everything but plain letters is escaped in YAML's double quotes. */
#include "write.h"

#include <string.h>

static const char *const words[] = {"disabled", "preferred", NULL, NULL, NULL};

/* In YAML "\xNN" is a Latin-1 character, so UTF-8 beyond ASCII is written unescaped. */
static void put_yaml_bytes(struct buf *out, const char *s, size_t n)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$&()*+,-./:;=?@[]^_{|}~'";

    for (; n; s++, n--) {
        if ((unsigned char)*s >= 0x80 || strchr(plain, *s))
            buf_putc(out, *s);
        else
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*s);
    }
}

static void put_yaml(struct buf *out, const char *key, const char *value)
{
    if (!value)
        return;
    buf_printf(out, "%s: \"", key);
    put_yaml_bytes(out, value, strlen(value));
    buf_puts(out, "\"\n");
}

static int rails_write(const struct connection *c, const struct format_how *how, struct buf *out,
                       struct err *e)
{
    (void)e;
    buf_puts(out, "adapter: mysql2\n");
    put_yaml(out, "host", c->host);
    if (c->host)
        buf_printf(out, "port: %u\n", c->port);
    put_yaml(out, "socket", c->host ? NULL : c->socket);
    put_yaml(out, "username", c->user);
    if (c->password) {
        buf_puts(out, how->masked ? "# password: " : "password: \"");
        put_password(out, c, how, put_yaml_bytes);
        buf_puts(out, how->masked ? "\n" : "\"\n");
    }
    put_yaml(out, "database", c->database);
    put_yaml(out, "ssl_mode", c->host ? words[c->tls] : NULL);
    put_expiry(out, c);
    return 0;
}

static int rails_line(const struct connection *c, const struct format_how *how, struct buf *out,
                      struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql2", c, how);
    query_put(&q, "socket", c->host ? NULL : c->socket);
    query_put(&q, "ssl_mode", c->host ? words[c->tls] : NULL);
    return 0;
}

const struct format format_rails = {.name = "rails",
                                    .variable = "DATABASE_URL",
                                    .levels = LEVEL(DISABLED) | LEVEL(PREFERRED),
                                    .carries = CARRIES_SOCKET,
                                    .line = rails_line,
                                    .write = rails_write};
