/* SPDX-License-Identifier: MIT */
/* Environment variables of `exec --env NAME=TEMPLATE`: placeholders for single values and for each format
 * that is one line. They may contain secrets, because they are only put into the environment. */
#include "template.h"

#include <session/session.h>

#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#define TEMPLATE_MOST (1024 * 1024)

static const struct format *line_format(const char *name)
{
    const struct format *f = format_find(name);

    return f && f->line ? f : NULL;
}

/* Returns true if the placeholder {NAME} contains the password. */
static bool template_is_secret(const char *name)
{
    const struct format *f = line_format(name);

    return text_equal(name, "password") || (f && !f->no_secret);
}

/* Returns the name of the placeholder that starts here, malloced; NULL if there is none. */
static char *name_at(const char *s)
{
    const char *end = *s == '{' ? strchr(s, '}') : NULL;

    return end ? mem_strndup(s + 1, (size_t)(end - s - 1)) : NULL;
}

char *template_secret_in(const char *word)
{
    for (; *word; word++) {
        AUTO_FREE(char *, name);
        name = name_at(word);
        if (name && template_is_secret(name))
            return mem_printf("{%s}", name);
    }
    return NULL;
}

static bool is_variable(const char *s, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return n && strspn(s, letters) >= n && !(*s >= '0' && *s <= '9');
}

int template_check(const char *text, struct err *e)
{
    size_t n = strcspn(text, "=");
    AUTO_FREE(char *, secret);

    if (!is_variable(text, n)) {
        (void)err_set(e, ERR_USAGE, "--env: '%.*s' is not a variable's name", (int)n, text);
        return err_hint(e, "--env NAME=TEMPLATE, or --env FORMAT");
    }
    secret = template_secret_in(text + n + 1);
    if (!secret || !strstr(text + n + 1, "://"))
        return 0;
    /* Refused because a password such as x@evil/ would change the host. */
    (void)err_set(e, ERR_USAGE, "--env %.*s: %s is not encoded for a URL", (int)n, text, secret);
    return err_hint(e, "--env '%.*s={url}', or another URL format: broker help formats", (int)n, text);
}

/* Appends a single value, unencoded. In a URL, user and database are refused if they would have to be
 * encoded. */
static int put_field(const char *name, const struct connection *c, const struct format_how *how, bool url,
                     struct buf *out, struct err *e)
{
    AUTO_BUF(value, TEMPLATE_MOST);
    AUTO_BUF(encoded, 3 * TEMPLATE_MOST);

    if (!c->host && text_equal(name, "host"))
        buf_puts(&value, "localhost");
    else
        (void)field_put(name, c, how, &value);
    if (strlen(buf_str(&value)) != value.len)
        return err_set(e, ERR_DATA, "{%s} contains a NUL byte, which a variable cannot hold", name);
    text_percent_encode(&encoded, buf_str(&value), value.len);
    if (url && (text_equal(name, "user") || text_equal(name, "database")) && encoded.len != value.len) {
        (void)err_set(e, ERR_DATA, "{%s} contains characters that must be encoded in a URL", name);
        return err_hint(e, "{url}, or another URL format: broker help formats");
    }
    buf_add(out, buf_str(&value), value.len);
    return 0;
}

static bool is_field(const char *name)
{
    for (size_t i = 0; field_names[i]; i++) {
        if (text_equal(field_names[i], name))
            return true;
    }
    return false;
}

/* Appends the text with its placeholders filled in; other braces are copied. ERR_DATA for a value that is not
 * possible there. */
static int template_fill(const char *text, const struct template_values *v, struct buf *out, struct err *e)
{
    bool url = strstr(text, "://");

    while (*text) {
        AUTO_FREE(char *, name);
        name = name_at(text);
        const struct format *f = name ? line_format(name) : NULL;
        if (v->defaults_file && text_equal(name, "defaults-file")) {
            buf_puts(out, v->defaults_file);
            text += strlen(name) + 2;
            continue;
        }
        if (!f && !(name && is_field(name))) {
            buf_putc(out, *text++);
            continue;
        }
        int done = f ? format_line(f, f->both_ends ? v->both : v->driver, v->how, out, e)
                     : put_field(name, v->both, v->how, url, out, e);
        if (done < 0)
            return -1;
        text += strlen(name) + 2;
    }
    return buf_ok(out) ? 0 : err_set(e, ERR_DATA, "--env: over %d bytes", TEMPLATE_MOST);
}

int template_environment(char *const *templates, const struct template_values *v, struct env_changes *env,
                         struct err *e)
{
    for (; templates && *templates; templates++) {
        AUTO_BUF(value, TEMPLATE_MOST);
        AUTO_FREE(char *, name);
        size_t n = strcspn(*templates, "=");
        name = mem_strndup(*templates, n);
        if (template_fill(*templates + n + 1, v, &value, e) < 0)
            return -1;
        env_set(env, name, buf_str(&value));
    }
    return 0;
}
