/* SPDX-License-Identifier: MIT */
/* Imports usql's config.yaml: below `connections:`, each NAME has a URL or a map of parts, in block or flow
 * style. No other YAML is understood; anything else is left out and reported. */
#include "parts.h"

#include <string.h>

#include <base/mem.h>
#include <base/text.h>

static bool is_usql(const char *text, size_t n)
{
    const char *at = strstr(text, "connections:");

    return strlen(text) == n && at && (at == text || at[-1] == '\n') && strchr("\r\n \t", at[12]);
}

/* The parts of one connection while it is read. */
struct parts {
    char *name; /* NULL: no connection is being read */
    char *value[6];
    size_t depth;    /* the indentation of its parts; 0: there was none yet */
    bool is_unknown; /* a part is in a form that is not understood */
};
enum part { PART_PROTOCOL, PART_HOST, PART_PORT, PART_USER, PART_PASSWORD, PART_DATABASE };

static const struct {
    const char *name;
    enum part part;
} part_names[] = {
    {"proto", PART_PROTOCOL},    {"protocol", PART_PROTOCOL}, {"host", PART_HOST},
    {"hostname", PART_HOST},     {"port", PART_PORT},         {"user", PART_USER},
    {"username", PART_USER},     {"pass", PART_PASSWORD},     {"password", PART_PASSWORD},
    {"database", PART_DATABASE}, {"dbname", PART_DATABASE},
};

/* Decodes a quoted scalar in place. Returns the text behind the closing quote; NULL if there is none, or if
 * it has other escapes than these. */
static char *unquote(char *s)
{
    static const char from[] = "\"\\/nrt", to[] = "\"\\/\n\r\t";
    char quote = *s, *out = s;

    for (s++; *s; s++) {
        const char *which = NULL;
        if (*s == '\'' && quote == '\'' && s[1] == '\'')
            s++;
        else if (*s == quote)
            break;
        else if (*s == '\\' && quote == '"' && (!*++s || (which = strchr(from, *s)) == NULL))
            return NULL;
        *out++ = which ? to[which - from] : *s;
    }
    if (!*s)
        return NULL;
    *out = '\0';
    return s + 1;
}

/* Takes a scalar from *at, which ends at one of these characters, at a comment or at the end of the line.
 * Sets *at to the text behind that character. Returns NULL if its form is not understood. */
static char *scalar(char **at, const char *ends)
{
    char *s = *at + strspn(*at, " \t"), *end = s;
    bool is_quoted = *s == '"' || *s == '\'';

    if (*s && strchr("&*!|>%@`[{", *s))
        return NULL;
    if (is_quoted && (end = unquote(s)) == NULL)
        return NULL;
    for (; *end && !strchr(ends, *end) && !(*end == '#' && strchr(" \t", end[-1])); end++)
        if (is_quoted && !strchr(" \t", *end))
            return NULL;
    *at = *end && *end != '#' ? end + 1 : end + strlen(end);
    *end = '\0';
    for (; !is_quoted && end > s && strchr(" \t", end[-1]); end--)
        end[-1] = '\0';
    if (!is_quoted && (text_equal(s, "~") || text_equal(s, "null")))
        *s = '\0';
    return s;
}

static bool is_mysql(const char *protocol)
{
    static const char *const names[] = {"mysql", "my", "mariadb", "maria", "percona", "aurora"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (text_equal(names[i], protocol))
            return true;
    return false;
}

static void finish(struct parts *p, struct import_list *list)
{
    struct import_entry *entry = NULL;

    if (p->name && p->is_unknown)
        import_skip(list, p->name, "a form of YAML that broker does not read");
    else if (p->name && !is_mysql(p->value[PART_PROTOCOL]))
        import_skip(list, p->name, "not MySQL, or in an unknown format");
    else if (p->name)
        entry = import_add(list, p->name);
    if (entry) {
        import_put(entry, KEY_host, p->value[PART_HOST]);
        import_port(entry, p->value[PART_PORT]);
        import_put(entry, KEY_user, p->value[PART_USER]);
        import_put(entry, KEY_database, p->value[PART_DATABASE]);
        if (p->value[PART_PASSWORD])
            import_password(entry, p->value[PART_PASSWORD], strlen(p->value[PART_PASSWORD]));
    }
    *p = (struct parts){0};
}

/* Takes "KEY: VALUE" from *at as a part of the connection. */
static void take_part(struct parts *p, char **at, const char *ends)
{
    char *name = scalar(at, ":"), *value = name ? scalar(at, ends) : NULL;

    for (size_t i = 0; value && i < ARRAY_LEN(part_names); i++)
        if (text_equal(part_names[i].name, name))
            p->value[part_names[i].part] = value;
    p->is_unknown = p->is_unknown || !value;
}

static void take_flow_map(struct parts *p, char *at)
{
    while (*at && !p->is_unknown)
        take_part(p, &at, ",}");
}

/* Parses "KEY: VALUE" on a line of its own; what is indented deeper is not a part of the connection. */
static void take_line(struct parts *p, char *line, size_t indent)
{
    p->depth = p->depth ? p->depth : indent;
    if (indent > p->depth)
        return;
    if (strchr(line, ':'))
        take_part(p, &line, "");
    else
        p->is_unknown = true;
}

/* Reads a line "NAME: ..." directly below `connections:`. */
static void take_connection(struct parts *p, char *line, struct import_list *list)
{
    finish(p, list);
    if (!strchr(line, ':'))
        return;
    char *name = scalar(&line, ":"), *value;
    line += strspn(line, " \t");
    p->name = name ? name : line;
    if (name && *line == '{') {
        take_flow_map(p, line + 1);
        return;
    }
    value = name ? scalar(&line, "") : NULL;
    p->is_unknown = !value;
    if (value && strstr(value, "://")) {
        p->name = NULL;
        import_url(list, name, value);
    }
}

static int read_usql(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    struct parts p = {0};
    char *at = text->data, *line, *start = at;
    size_t depth = 0;
    bool is_inside = false;

    (void)path;
    (void)e;
    for (; (line = line_next(&at)) != NULL; start = at) {
        size_t indent = (size_t)(line - start);
        if (!*line || *line == '#')
            continue;
        if (indent == 0) {
            finish(&p, list);
            is_inside = text_starts(line, "connections:") && strchr("#", line[12 + strspn(line + 12, " \t")]);
            depth = 0;
        } else if (is_inside && (depth == 0 || indent <= depth)) {
            depth = indent;
            take_connection(&p, line, list);
        } else if (is_inside && p.name) {
            take_line(&p, line, indent);
        }
    }
    finish(&p, list);
    return 0;
}

const struct import_format import_usql = {"usql", is_usql, read_usql};
