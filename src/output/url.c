/*
 * DATABASE_URL: mysql://USER:PASSWORD@HOST:PORT/DATABASE, strictly percent-encoded (RFC 3986). Every reader
 * accepts this and dials what it says. A parameter is written only if it is needed: SQLAlchemy, Django and
 * others refuse an unknown one, and many ignore `socket` and would dial localhost.
 */
#include <output/format.h>

#include <string.h>

static void put_encoded(struct buf *out, const char *s)
{
    text_percent_encode(out, s, strlen(s));
}

static void put_parameter(struct buf *out, char *separator, const char *key, const char *value)
{
    if (!value)
        return;
    buf_putc(out, *separator);
    buf_printf(out, "%s=", key);
    put_encoded(out, value);
    *separator = '&';
}

static int url_environment(const struct connection *c, struct env_changes *env, struct err *e)
{
    AUTO_BUF(url, 262144);
    char separator = '?';

    buf_puts(&url, "mysql://");
    if (c->user)
        put_encoded(&url, c->user);
    if (c->password) {
        buf_putc(&url, ':');
        text_percent_encode(&url, secret_bytes(c->password), secret_len(c->password));
    }
    if (c->user || c->password)
        buf_putc(&url, '@');
    if (!c->host)
        buf_puts(&url, "localhost");
    else if (strchr(c->host, ':'))
        buf_printf(&url, "[%s]:%u", c->host, c->port);
    else
        buf_printf(&url, "%s:%u", c->host, c->port);
    buf_putc(&url, '/');
    if (c->database)
        put_encoded(&url, c->database);
    put_parameter(&url, &separator, "socket", c->host ? NULL : c->socket);
    put_parameter(&url, &separator, "ssl-mode", c->tls >= TLS_REQUIRED ? tls_level_ssl_mode(c->tls) : NULL);
    put_parameter(&url, &separator, "ssl-ca", c->tls >= TLS_VERIFY_CA ? c->tls_ca : NULL);
    if (!buf_ok(&url))
        return err_set(e, ERR_DATA, "url: too long for the format");
    env_set(env, "DATABASE_URL", buf_str(&url));
    return 0;
}

const struct format format_url = {.name = "url", .environment = url_environment};
