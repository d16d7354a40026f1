/* SPDX-License-Identifier: MIT */
/* Checks that a format can hold all values of a connection, as its row in the table says. Writers need no
 * further checks. */
#include <output/format.h>

#include <stddef.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#include "write.h"

static int refuse_tls(const struct format *f, struct err *e)
{
    return err_hint(e, "use another format (broker help formats)%s",
                    f->levels ? ", or broker exec, which handles TLS itself" : "");
}

static int refuse_value(const struct format *f, const char *field, const char *why, struct err *e)
{
    (void)err_set(e, ERR_DATA, "format %s cannot carry %s: it %s", f->name, field, why);
    return err_hint(e, "use another format: broker help formats");
}

static int check_level(const struct format *f, const struct connection *c, struct err *e)
{
    if (!f->levels || (f->levels & 1u << c->tls))
        return 0;
    (void)err_set(e, ERR_DATA, "format %s cannot express tls = %s", f->name, tls_level_name(c->tls));
    return refuse_tls(f, e);
}

/* A format that holds no TLS level holds no TLS files either, so these are not checked. */
static int check_places(const struct format *f, const struct connection *c, struct err *e)
{
    const struct {
        const char *field, *value;
        unsigned place;
    } rows[] = {
        {"socket", c->host ? NULL : c->socket, CARRIES_SOCKET},
        {"tls_ca", f->levels && !c->system_ca ? ca_of(c) : NULL, CARRIES_CA},
        {"tls_cert", f->levels ? cert_of(c) : NULL, CARRIES_CERT},
        {"tls_ciphers", f->levels ? ciphers_of(c) : NULL, CARRIES_CIPHERS},
        {"tls_version", f->levels ? version_of(c) : NULL, CARRIES_VERSION},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value && !(f->carries & rows[i].place)) {
            (void)err_set(e, ERR_DATA, "format %s cannot carry %s", f->name, rows[i].field);
            return refuse_tls(f, e);
        }
    }
    return 0;
}

static int check_bytes(const struct format *f, const char *field, const char *s, size_t n,
                       const char *forbidden, struct err *e)
{
    AUTO_BUF(why, 64);

    if (memchr(s, '\0', n)) {
        (void)refuse_value(f, field, "contains a NUL byte", e);
        return err_hint(e, "set another %s on the server", field);
    }
    if (!(f->carries & CARRIES_BYTES) && !text_is_utf8(s, n))
        return refuse_value(f, field, "is not UTF-8", e);
    size_t at = forbidden ? strcspn(s, forbidden) : n;
    if (at >= n)
        return 0;
    if ((unsigned char)s[at] > ' ')
        buf_printf(&why, "contains '%c'", s[at]);
    else
        buf_puts(&why, s[at] == ' ' ? "contains a space" : "contains a control character");
    return refuse_value(f, field, buf_str(&why), e);
}

static bool is_ascii(const char *s)
{
    while (*s && (unsigned char)*s < 0x80)
        s++;
    return !*s;
}

static int check_values(const struct format *f, const struct connection *c, struct err *e)
{
    const struct {
        const char *field, *value, *forbidden;
    } rows[] = {
        {"user", c->user, f->not_in_user},
        {"database", c->database, f->not_in_database},
        {"host", c->host, NULL},
        {"socket", c->host && !f->both_ends ? NULL : c->socket, f->not_in_path},
        {"tls_ca", f->levels ? ca_of(c) : NULL, f->not_in_path},
        {"tls_cert", f->levels ? cert_of(c) : NULL, f->not_in_path},
        {"tls_key", f->levels ? key_of(c) : NULL, f->not_in_path},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value &&
            check_bytes(f, rows[i].field, rows[i].value, strlen(rows[i].value), rows[i].forbidden, e) < 0)
            return -1;
    }
    if (f->no_secret || !c->password)
        return 0;
    if (f->ascii_password && !is_ascii(secret_bytes(c->password)))
        return refuse_value(f, "password", "contains characters beyond ASCII", e);
    return check_bytes(f, "password", secret_bytes(c->password), secret_len(c->password), f->not_in_password,
                       e);
}

/* At verify-identity the name is needed for the certificate, so it cannot be replaced by an address. */
static int check_host(const struct format *f, const struct connection *c, struct err *e)
{
    if (!f->localhost_is_socket || !text_equal_nocase(c->host, "localhost"))
        return 0;
    (void)err_set(e, ERR_DATA, "format %s cannot carry localhost: its readers take it for a unix socket",
                  f->name);
    return refuse_tls(f, e);
}

static int format_check(const struct format *f, const struct connection *c, struct err *e)
{
    if (check_level(f, c, e) < 0 || check_places(f, c, e) < 0 || check_host(f, c, e) < 0)
        return -1;
    return check_values(f, c, e);
}

static int check_room(const struct format *f, const struct buf *out, struct err *e)
{
    if (buf_ok(out))
        return 0;
    (void)err_set(e, ERR_DATA, "format %s cannot carry so much", f->name);
    return err_hint(e, "use another format: broker help formats");
}

int format_line(const struct format *f, const struct connection *c, const struct format_how *how,
                struct buf *out, struct err *e)
{
    if (format_check(f, c, e) < 0 || f->line(c, how, out, e) < 0)
        return -1;
    return check_room(f, out, e);
}

int format_write(const struct format *f, const struct connection *c, const struct format_how *how,
                 struct buf *out, struct err *e)
{
    if (format_check(f, c, e) < 0 || (f->write ? f->write : f->line)(c, how, out, e) < 0)
        return -1;
    if (!f->write)
        buf_putc(out, '\n');
    return check_room(f, out, e);
}

int format_environment(const struct format *f, const struct connection *c, const struct format_how *how,
                       struct env_changes *env, struct err *e)
{
    AUTO_BUF(line, FORMAT_TEXT_MOST);

    if (f->environment)
        return format_check(f, c, e) < 0 ? -1 : f->environment(c, env, e);
    if (!f->variable) {
        (void)err_set(e, ERR_USAGE, "format %s has no variables", f->name);
        return err_hint(e, f->line ? "--env NAME={%s}" : "broker params --format %s", f->name);
    }
    if (format_line(f, c, how, &line, e) < 0)
        return -1;
    env_set(env, f->variable, buf_str(&line));
    return 0;
}
