/* SPDX-License-Identifier: MIT */
/* What the writers of formats share. Only put_password() writes the password. */
#include "write.h"

#include <string.h>

#include <base/clock.h>
#include <base/text.h>

void encode_percent(struct buf *out, const char *s, size_t n)
{
    text_percent_encode(out, s, n);
}

void encode_raw(struct buf *out, const char *s, size_t n)
{
    buf_add(out, s, n);
}

void put_password(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode)
{
    if (!c->password)
        return;
    if (how->masked)
        buf_puts(out, MASK);
    else
        encode(out, secret_bytes(c->password), secret_len(c->password));
}

void password_put(const struct connection *c, const struct format_how *how, struct buf *out)
{
    put_password(out, c, how, encode_raw);
}

void put_encoded(struct buf *out, const char *s)
{
    text_percent_encode(out, s, strlen(s));
}

void url_login(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode)
{
    if (c->user)
        encode(out, c->user, strlen(c->user));
    if (c->password)
        buf_putc(out, ':');
    put_password(out, c, how, encode);
    if (c->user || c->password)
        buf_putc(out, '@');
}

void url_begin(struct buf *out, const char *scheme, const struct connection *c, const struct format_how *how)
{
    buf_printf(out, "%s://", scheme);
    url_login(out, c, how, encode_percent);
    if (c->host)
        text_address(out, c->host, (long)c->port);
    else
        buf_puts(out, "localhost");
    buf_putc(out, '/');
    if (c->database)
        put_encoded(out, c->database);
}

void query_put(struct query *q, const char *key, const char *value)
{
    if (!value)
        return;
    buf_putc(q->out, q->separator);
    put_encoded(q->out, key);
    buf_putc(q->out, '=');
    put_encoded(q->out, value);
    q->separator = '&';
}

const char *ca_of(const struct connection *c)
{
    return c->tls >= TLS_VERIFY_CA ? c->tls_ca : NULL;
}

const char *cert_of(const struct connection *c)
{
    return c->tls == TLS_DISABLED ? NULL : c->tls_cert;
}

const char *key_of(const struct connection *c)
{
    return c->tls == TLS_DISABLED ? NULL : c->tls_key;
}

const char *ciphers_of(const struct connection *c)
{
    return c->tls == TLS_DISABLED ? NULL : c->tls_ciphers;
}

const char *version_of(const struct connection *c)
{
    return c->tls != TLS_DISABLED && c->tls_version_set ? c->tls_version : NULL;
}

void put_expiry(struct buf *out, const struct connection *c)
{
    if (!c->expires_at)
        return;
    buf_puts(out, "# valid until ");
    clock_format_utc(out, c->expires_at);
    buf_putc(out, '\n');
}

/* In sh and similar shells a quote is written by closing the quotes, escaping it and opening them again; fish
 * escapes quote and backslash inside quotes. */
void quote_always(struct buf *out, enum shell shell, const char *s, size_t n)
{
    buf_putc(out, '\'');
    for (; n; s++, n--) {
        if (*s == '\'')
            buf_puts(out, shell == SHELL_FISH ? "\\'" : "'\\''");
        else if (*s == '\\' && shell == SHELL_FISH)
            buf_puts(out, "\\\\");
        else
            buf_putc(out, *s);
    }
    buf_putc(out, '\'');
}
