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

/* Returns a scalar without its quotes or comment. */
static char *scalar(char *s)
{
    size_t n;

    s += strspn(s, " \t");
    char *close = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;
    if (close && (!close[1] || strchr(" \t", close[1]))) {
        *close = '\0';
        return s + 1;
    }
    char *comment = strstr(s, " #");
    if (comment)
        *comment = '\0';
    for (n = strlen(s); n && strchr(" \t", s[n - 1]); n--)
        s[n - 1] = '\0';
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

    if (p->name && !is_mysql(p->value[PART_PROTOCOL]))
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

/* Parses "KEY: VALUE" and stores it as a part of the connection. */
static void take_part(struct parts *p, char *text)
{
    char *colon = strchr(text, ':');

    if (!colon)
        return;
    *colon = '\0';
    for (size_t i = 0; i < ARRAY_LEN(part_names); i++)
        if (text_equal(part_names[i].name, scalar(text)))
            p->value[part_names[i].part] = scalar(colon + 1);
}

static void take_flow_map(struct parts *p, char *text)
{
    char *end = strrchr(text, '}');

    if (end)
        *end = '\0';
    while (*text) {
        size_t n = strcspn(text, ",");
        char *next = text + n + (text[n] != '\0');
        text[n] = '\0';
        take_part(p, text);
        text = next;
    }
}

/* Reads a line "NAME: ..." directly below `connections:`. */
static void take_connection(struct parts *p, char *line, struct import_list *list)
{
    char *colon = strchr(line, ':');

    finish(p, list);
    if (!colon)
        return;
    *colon = '\0';
    char *name = scalar(line), *value = scalar(colon + 1);
    if (strstr(value, "://")) {
        import_url(list, name, value);
        return;
    }
    p->name = name;
    if (*value == '{')
        take_flow_map(p, value + 1);
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
            is_inside = text_equal(line, "connections:");
            depth = 0;
        } else if (is_inside && (depth == 0 || indent <= depth)) {
            depth = indent;
            take_connection(&p, line, list);
        } else if (is_inside && p.name) {
            take_part(&p, line);
        }
    }
    finish(&p, list);
    return 0;
}

const struct import_format import_usql = {"usql", is_usql, read_usql};
