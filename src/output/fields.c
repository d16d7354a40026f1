/* SPDX-License-Identifier: MIT */
/* Single values by name: for `params --field`, and for the placeholders of `exec`. */
#include <output/format.h>

#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>

const char *const field_names[] = {"profile",     "host",     "port",     "socket",     "user",
                                   "password",    "database", "endpoint", "cleartext",  "tls",
                                   "tls_ca",      "tls_cert", "tls_key",  "expires_at", "tls_ciphers",
                                   "tls_version", NULL};

/* Returns the field if it is a string of the connection; else NULL. */
static const char *text_of(const char *name, const struct connection *c, const struct format_how *how)
{
    const struct {
        const char *name, *value;
    } rows[] = {
        {"profile", how->profile},       {"host", c->host},
        {"socket", c->socket},           {"user", c->user},
        {"database", c->database},       {"cleartext", c->cleartext ? "true" : "false"},
        {"tls", tls_level_name(c->tls)}, {"tls_ca", c->tls >= TLS_VERIFY_CA ? c->tls_ca : NULL},
        {"tls_cert", c->tls_cert},       {"tls_key", c->tls_key},
        {"tls_ciphers", c->tls_ciphers}, {"tls_version", c->tls_version_set ? c->tls_version : NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (text_equal(rows[i].name, name))
            return rows[i].value;
    }
    return NULL;
}

static void put_endpoint(const struct connection *c, struct buf *out)
{
    if (c->host)
        text_address(out, c->host, (long)c->port);
    else if (c->socket)
        buf_puts(out, c->socket);
}

bool field_put(const char *name, const struct connection *c, const struct format_how *how, struct buf *out)
{
    size_t i = 0;

    while (field_names[i] && !text_equal(field_names[i], name))
        i++;
    if (!field_names[i])
        return false;
    if (text_equal(name, "password"))
        password_put(c, how, out);
    else if (text_equal(name, "port") && c->host)
        buf_printf(out, "%u", c->port);
    else if (text_equal(name, "endpoint"))
        put_endpoint(how->endpoint, out);
    else if (text_equal(name, "expires_at") && c->expires_at)
        clock_format_utc(out, c->expires_at);
    else {
        const char *text = text_of(name, c, how);
        buf_puts(out, text ? text : "");
    }
    return true;
}
