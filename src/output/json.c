/* SPDX-License-Identifier: MIT */
/* Writes all parameters as one JSON object on one line. Every field is always present, null if it is not set.
 */
#include "json_out.h"
#include "write.h"

#include <string.h>

#include <base/clock.h>
#include <base/text.h>

/* Fields that a format checks are UTF-8, but names from the config may contain any bytes. */
json_t *json_out_text(const char *s)
{
    AUTO_BUF(clean, 65536);

    if (!s)
        return json_null();
    if (text_is_utf8(s, strlen(s)))
        return json_string(s);
    text_sanitise(&clean, s, strlen(s));
    return json_string(buf_str(&clean));
}

static json_t *place(const struct connection *c)
{
    return json_pack("{s:o,s:o,s:o}", "host", json_out_text(c->host), "port",
                     c->host ? json_integer((json_int_t)c->port) : json_null(), "socket",
                     json_out_text(c->socket));
}

static json_t *password(const struct connection *c, const struct format_how *how)
{
    AUTO_BUF(bytes, SECRET_MAX + 1);

    if (!c->password)
        return json_null();
    put_password(&bytes, c, how, encode_raw);
    return json_string(buf_str(&bytes));
}

static json_t *expiry(const struct connection *c)
{
    AUTO_BUF(end, 64);

    if (!c->expires_at)
        return json_null();
    clock_format_utc(&end, c->expires_at);
    return json_string(buf_str(&end));
}

int json_out(json_t *root, struct buf *out)
{
    json_put(out, root);
    json_decref(root);
    return 0;
}

static int json_line(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    (void)e;
    json_use_wiping_memory();
    json_t *root = json_object();
    const struct {
        const char *name;
        json_t *value;
    } fields[] = {
        {"profile", json_out_text(how->profile)},
        {"host", json_out_text(c->host)},
        {"port", c->host ? json_integer((json_int_t)c->port) : json_null()},
        {"socket", json_out_text(c->socket)},
        {"user", json_out_text(c->user)},
        {"password", password(c, how)},
        {"database", json_out_text(c->database)},
        {"endpoint", place(how->endpoint)},
        {"cleartext", json_boolean(c->cleartext)},
        {"tls", json_string(tls_level_name(c->tls))},
        {"tls_ca", json_out_text(ca_of(c))},
        {"tls_cert", json_out_text(cert_of(c))},
        {"tls_key", json_out_text(key_of(c))},
        {"expires_at", expiry(c)},
        {"tls_ciphers", json_out_text(ciphers_of(c))},
        {"tls_version", json_out_text(version_of(c))},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        (void)json_object_set_new(root, fields[i].name, fields[i].value);
    return json_out(root, out);
}

const struct format format_json = {.name = "json",
                                   .levels = LEVELS_ALL,
                                   .carries = CARRIES_ALL & ~(unsigned)CARRIES_BYTES,
                                   .line = json_line};
