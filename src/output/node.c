/* SPDX-License-Identifier: MIT */
/*
 * Writes the options object of Node's mysql2. It takes CA certificates as text, not as a file; without them
 * Node's own are used. It has no name for `preferred`; nothing is written then, and it connects without TLS.
 */
#include "write.h"

#include <base/file.h>
#include <base/mem.h>

#include "json_out.h"

#define CA_MOST (512 * 1024)

static int read_ca_certs(const struct connection *c, struct buf *out, struct err *e)
{
    if (!ca_of(c) || c->system_ca)
        return 0;
    int got = file_read(c->tls_ca, FILE_ANY, out, e);
    if (got < 0)
        return -1;
    if (got == 0 && text_is_utf8(buf_str(out), out->len))
        return 0;
    (void)err_set(e, ERR_DATA, "format node cannot carry tls_ca: it is not a text file");
    return err_hint(e, "check %s", c->tls_ca);
}

static json_t *tls(const struct connection *c, const struct buf *ca)
{
    json_t *ssl = json_object();

    if (ca->len)
        (void)json_object_set_new(ssl, "ca", json_string(buf_str(ca)));
    (void)json_object_set_new(ssl, "rejectUnauthorized", json_boolean(c->tls >= TLS_VERIFY_CA));
    (void)json_object_set_new(ssl, "verifyIdentity", json_boolean(c->tls == TLS_VERIFY_IDENTITY));
    return ssl;
}

static void put_text(json_t *root, const char *key, const char *value)
{
    if (value)
        (void)json_object_set_new(root, key, json_out_text(value));
}

static int node_line(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    AUTO_BUF(ca, CA_MOST);
    AUTO_BUF(password, SECRET_MAX + 1);

    if (read_ca_certs(c, &ca, e) < 0)
        return -1;
    json_use_wiping_memory();
    json_t *root = json_object();
    put_text(root, "host", c->host);
    if (c->host)
        (void)json_object_set_new(root, "port", json_integer((json_int_t)c->port));
    else
        put_text(root, "socketPath", c->socket);
    put_text(root, "user", c->user);
    put_password(&password, c, how, encode_raw);
    put_text(root, "password", c->password ? buf_str(&password) : NULL);
    put_text(root, "database", c->database);
    if (c->host && c->tls >= TLS_REQUIRED)
        (void)json_object_set_new(root, "ssl", tls(c, &ca));
    return json_out(root, out);
}

const struct format format_node = {
    .name = "node", .levels = LEVELS_ALL, .carries = CARRIES_SOCKET | CARRIES_CA, .line = node_line};
