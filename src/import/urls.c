/* SPDX-License-Identifier: MIT */
/* Imports URLs: a list with one per line, each with or without a name in front, and the named URLs of mycli
 * and usql. What broker refuses in a URL (session/url_rule.h says why) is left out here too. */
#include "parts.h"

#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/url.h>

#define PARAMETERS_MOST 100

/* Appends the URL up to its parameters, and each parameter that broker accepts. */
static void keep_known(struct import_entry *entry, const char *url, struct buf *out)
{
    const char *query = strchr(url, '?');
    size_t head = query ? (size_t)(query - url) : strlen(url);
    char separator = '?';

    buf_add(out, url, head);
    for (unsigned i = 0; query && *query && i < PARAMETERS_MOST; i++) {
        size_t n = strcspn(++query, "&");
        struct err why = ERR_INIT;
        AUTO_PROFILE(trial);
        AUTO_BUF(one, IMPORT_BYTES);
        AUTO_FREE(char *, name);
        name = mem_strndup(query, strcspn(query, "=&"));
        buf_add(&one, url, head);
        buf_putc(&one, '?');
        buf_add(&one, query, n);
        if (url_parse(buf_str(&one), &trial, &why) == 0) {
            buf_putc(out, separator);
            buf_add(out, query, n);
            separator = '&';
        } else {
            import_leave(entry, name, why.msg);
        }
        query += n;
    }
}

/* Moves what the URL has set into the entry. */
static void take_settings(struct import_entry *entry, struct profile *p)
{
    static const enum key of_tls[] = {KEY_tls, KEY_tls_ca, KEY_tls_cert, KEY_tls_key};

    for (size_t k = 0; k < KEY_COUNT; k++)
        if (p->set[k].origin == ORIGIN_URL)
            import_put(entry, (enum key)k, p->set[k].value);
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (p->tunnel[k].origin == ORIGIN_URL)
            import_put_tunnel(entry, (enum tunnel_key)k, p->tunnel[k].value);
    for (size_t i = 0; i < ARRAY_LEN(of_tls); i++)
        entry->is_tls_said = entry->is_tls_said || p->set[of_tls[i]].value;
    entry->p.password = p->password;
    p->password = NULL;
    if (p->ssh_password)
        import_leave(entry, "the bastion's password", "broker password set --tunnel NAME");
}

void import_url(struct import_list *list, const char *label, const char *url)
{
    struct import_entry *entry = import_add(list, label);
    struct err why = ERR_INIT;
    AUTO_PROFILE(p);
    AUTO_BUF(known, IMPORT_BYTES);

    if (!entry)
        return;
    if (url_parse(url, &p, &why) < 0) {
        profile_release(&p);
        p = (struct profile){0};
        err_clear(&why);
        keep_known(entry, url, &known);
        if (url_parse(buf_str(&known), &p, &why) < 0) {
            import_refuse(list, why.msg);
            return;
        }
    }
    take_settings(entry, &p);
    if (profile_str(&entry->p, KEY_tls_ca) && !profile_str(&entry->p, KEY_tls))
        import_tls(entry, "verify-ca");
}

/* --- lists of URLs --- */

static bool is_url_list(const char *text, size_t n)
{
    const char *mark = strstr(text, "://");

    return mark && strlen(text) == n && mark < text + 4096;
}

static int read_urls(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    char *at = text->data, *line;

    (void)path;
    (void)e;
    while ((line = line_next(&at)) != NULL) {
        char *name = NULL;
        size_t first = strcspn(line, " \t=");
        if (!*line || *line == '#' || *line == ';')
            continue;
        if (line[first] && !strstr(line, "://")) {
            import_skip(list, "a line", "no URL in it");
            continue;
        }
        if (line[first] && strstr(line, "://") > line + first) {
            name = line;
            line += first;
            line += strspn(line, " \t=");
            name[first] = '\0';
        }
        import_url(list, name, line);
    }
    return 0;
}

const struct import_format import_urls = {"urls", is_url_list, read_urls};

/* --- mycli's config --- */

static bool is_mycli(const char *text, size_t n)
{
    return strlen(text) == n && strstr(text, "[alias_dsn]");
}

/* Returns a value as Python's configobj reads it, without its quotes and the comment after it. A `#` without
 * a space before it is kept, so that a URL with one is refused, not shortened. */
static char *unquoted(char *s)
{
    char *end = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;

    if (end) {
        *end = '\0';
        return s + 1;
    }
    for (end = s; *end && !(*end == '#' && end > s && strchr(" \t", end[-1])); end++)
        ;
    while (end > s && strchr(" \t", end[-1]))
        end--;
    *end = '\0';
    return s;
}

/* Returns true for the header of the section, which a comment may follow. */
static bool is_alias_header(const char *line)
{
    static const char header[] = "[alias_dsn]";
    const char *rest = line + sizeof header - 1;

    return text_starts(line, header) && strchr("#", rest[strspn(rest, " \t")]);
}

static int read_mycli(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    char *at = text->data, *line;
    bool is_inside = false;

    (void)path;
    (void)e;
    while ((line = line_next(&at)) != NULL) {
        char *equals = strchr(line, '=');
        if (*line == '[')
            is_inside = is_alias_header(line);
        if (!is_inside || *line == '[' || *line == '#' || !equals)
            continue;
        size_t n = (size_t)(equals - line);
        while (n && strchr(" \t", line[n - 1]))
            n--;
        line[n] = '\0';
        char *value = unquoted(equals + 1 + strspn(equals + 1, " \t"));
        if (*value == '$')
            import_skip(list, unquoted(line), "its URL is in an environment variable");
        else
            import_url(list, unquoted(line), value);
    }
    return 0;
}

const struct import_format import_mycli = {"mycli", is_mycli, read_mycli};
