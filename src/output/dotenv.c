/* SPDX-License-Identifier: MIT */
/*
 * Writes a .env file. Its readers (python-dotenv, Node, Ruby's and PHP's dotenv, docker compose, sh) parse
 * some values the same way: unquoted plain letters; single-quoted text without a quote, without `${`, and
 * without a backslash before another one or at the end; and double-quoted text in which none of them replaces
 * anything. Other values are refused, because each reader would read something else.
 */
#include "write.h"

#include <string.h>

#include <base/mem.h>
#include <model/address.h>

static bool is_plain(const char *s)
{
    return *s &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-") == strlen(s);
}

static char quote_for(const char *s)
{
    size_t n = strlen(s);

    if (strpbrk(s, "\n\r") || strstr(s, "${"))
        return '\0';
    if (!strchr(s, '\'') && !strstr(s, "\\\\") && (n == 0 || s[n - 1] != '\\'))
        return '\'';
    return strpbrk(s, "\"\\$`!") ? '\0' : '"';
}

int dotenv_put(struct buf *out, const char *format, const char *key, const char *value, struct err *e)
{
    char quote = quote_for(value);

    if (!quote) {
        (void)err_set(e, ERR_DATA, "format %s cannot carry %s: programs read such a value differently",
                      format, key);
        return err_hint(e, "--format url, or broker exec");
    }
    if (is_plain(value))
        buf_printf(out, "%s=%s\n", key, value);
    else
        buf_printf(out, "%s=%c%s%c\n", key, quote, value, quote);
    return 0;
}

int dotenv_put_password(struct buf *out, const char *format, const char *key, const struct connection *c,
                        const struct format_how *how, struct err *e)
{
    AUTO_BUF(password, SECRET_MAX + 1);

    if (!c->password)
        return 0;
    if (how->masked) {
        buf_printf(out, "# %s=%s\n", key, MASK);
        return 0;
    }
    put_password(&password, c, how, encode_raw);
    return dotenv_put(out, format, key, buf_str(&password), e);
}

static int dotenv_write(const struct connection *c, const struct format_how *how, struct buf *out,
                        struct err *e)
{
    AUTO_FREE(char *, port);

    port = mem_printf("%u", c->port);
    const struct {
        const char *key, *value;
    } rows[] = {{"MYSQL_HOST", c->host ? host_by_tcp(c->host) : "localhost"},
                {"MYSQL_TCP_PORT", c->host ? port : NULL},
                {"MYSQL_UNIX_PORT", c->socket},
                {"MYSQL_USER", c->user}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].value && dotenv_put(out, "dotenv", rows[i].key, rows[i].value, e) < 0)
            return -1;
    }
    if (dotenv_put_password(out, "dotenv", "MYSQL_PWD", c, how, e) < 0 ||
        (c->database && dotenv_put(out, "dotenv", "MYSQL_DATABASE", c->database, e) < 0))
        return -1;
    put_expiry(out, c);
    return 0;
}

const struct format format_dotenv = {
    .name = "dotenv", .both_ends = true, .carries = CARRIES_SOCKET, .write = dotenv_write};
