/* SPDX-License-Identifier: MIT */
/* Writes the variables that the MySQL clients and most container images read, as shell lines or to an
 * environment. The password is included, because the user asked for it. The TLS level is not. */
#include "write.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <model/address.h>

static void put_variable(struct buf *out, const struct format_how *how, const char *name, const char *value,
                         size_t n)
{
    buf_printf(out, how->shell == SHELL_FISH ? "set -gx %s " : "export %s=", name);
    quote_always(out, how->shell, value, n);
    buf_putc(out, '\n');
}

static void put_text(struct buf *out, const struct format_how *how, const char *name, const char *value)
{
    if (value)
        put_variable(out, how, name, value, strlen(value));
}

/* Writes the password in a variable; if masked, as a comment, so that a shell does not take the mask for the
 * password. */
static void put_secret(struct buf *out, const struct format_how *how, const char *name,
                       const struct connection *c)
{
    AUTO_BUF(password, SECRET_MAX + 1);

    if (!c->password)
        return;
    if (how->masked) {
        buf_printf(out, how->shell == SHELL_FISH ? "# set -gx %s %s\n" : "# export %s=%s\n", name, MASK);
        return;
    }
    put_password(&password, c, how, encode_raw);
    put_variable(out, how, name, buf_str(&password), password.len);
}

static int env_write(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    AUTO_FREE(char *, port);

    (void)e;
    port = mem_printf("%u", c->port);
    put_text(out, how, "MYSQL_HOST", c->host ? host_by_tcp(c->host) : "localhost");
    put_text(out, how, "MYSQL_TCP_PORT", c->host ? port : NULL);
    put_text(out, how, "MYSQL_UNIX_PORT", c->socket);
    put_text(out, how, "MYSQL_USER", c->user);
    put_secret(out, how, "MYSQL_PWD", c);
    put_text(out, how, "MYSQL_DATABASE", c->database);
    put_expiry(out, c);
    return 0;
}

static int env_environment(const struct connection *c, struct env_changes *env, struct err *e)
{
    AUTO_FREE(char *, port);

    (void)e;
    port = mem_printf("%u", c->port);
    env_set(env, "MYSQL_HOST", c->host ? host_by_tcp(c->host) : "localhost");
    env_set(env, "MYSQL_TCP_PORT", c->host ? port : NULL);
    env_set(env, "MYSQL_UNIX_PORT", c->socket);
    if (c->password) { /* if not (auth = client), the caller's own variables are used */
        env_set(env, "MYSQL_USER", c->user);
        env_set_secret(env, "MYSQL_PWD", c->password);
    }
    env_set(env, "MYSQL_DATABASE", c->database);
    return 0;
}

const struct format format_env = {.name = "env",
                                  .both_ends = true,
                                  .carries = CARRIES_ALL,
                                  .write = env_write,
                                  .environment = env_environment};
