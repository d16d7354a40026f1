/* SPDX-License-Identifier: MIT */
/*
 * Imports groups of MySQL's option files: [client_NAME] and [mysql_NAME], each merged with [client] and
 * [mysql] in the order of the file, as --defaults-group-suffix does; and [client] itself. Includes are not
 * followed: files that an imported file names are never opened.
 */
#include "parts.h"

#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>

#define GROUPS_MOST 1000

static bool is_option_file(const char *text, size_t n)
{
    const char *at = text;

    if (strlen(text) != n)
        return false;
    for (; (at = strchr(at, '[')) != NULL; at++)
        if ((at == text || strchr("\n \t", at[-1])) &&
            (text_starts(at, "[client") || text_starts(at, "[mysql")))
            return true;
    return false;
}

/* The options of one connection that affect each other, until all have been read. */
struct option_state {
    struct import_entry *entry;
    bool is_socket, is_tcp, skip_ssl, ssl, verify;
};

/* Cuts a comment off a line: from a `#` outside of quotes. */
static void cut_comment(char *s)
{
    char quote = '\0';
    bool is_escaped = false;

    for (; *s && (quote || *s != '#'); s++) {
        if ((*s == '"' || *s == '\'') && !is_escaped && (!quote || quote == *s))
            quote = quote ? '\0' : *s;
        is_escaped = quote && *s == '\\' && !is_escaped;
    }
    *s = '\0';
}

/* Replaces these escapes, and \s by a space, in place, within quotes or not; other backslashes are kept. */
static void unescape(char *s)
{
    static const char from[] = "btnrs\\\"'", to[] = "\b\t\n\r \\\"'";
    char *out = s;

    for (; *s; s++) {
        const char *which = *s == '\\' && s[1] ? strchr(from, s[1]) : NULL;
        if (*s == '\\' && s[1] && !which)
            *out++ = *s++;
        *out++ = which ? to[which - from] : *s;
        s += which != NULL;
    }
    *out = '\0';
}

/* Returns the value after `=` without its quotes and escapes, as MySQL's my_default.cc does. */
static char *option_value(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    if (n > 1 && (*s == '"' || *s == '\'') && s[n - 1] == *s) {
        s[n - 1] = '\0';
        s++;
    }
    unescape(s);
    return s;
}

static const struct {
    const char *name;
    enum key key;
} plain[] = {
    {"host", KEY_host},
    {"user", KEY_user},
    {"database", KEY_database},
    {"ssl_ca", KEY_tls_ca},
    {"ssl_cert", KEY_tls_cert},
    {"ssl_key", KEY_tls_key},
    {"ssl_cipher", KEY_tls_ciphers},
    {"tls_version", KEY_tls_version},
    {"socket", KEY_socket},
    {"connect_timeout", KEY_connect_timeout},
};
static const struct {
    const char *name;
    enum key key;
} switches[] = {
    {"enable_cleartext_plugin", KEY_cleartext},
    {"get_server_public_key", KEY_server_public_key},
    {"compress", KEY_compress},
};
static const char *const modes[][2] = {
    {"DISABLED", "disabled"},
    {"PREFERRED", "preferred"},
    {"REQUIRED", "required"},
    {"VERIFY_CA", "verify-ca"},
    {"VERIFY_IDENTITY", "verify-identity"},
};

static bool is_on(const char *value)
{
    return !value || text_equal(value, "1") || text_equal_nocase(value, "on") ||
           text_equal_nocase(value, "true") || text_equal_nocase(value, "yes");
}

static bool take_tls(struct option_state *o, const char *name, const char *value)
{
    if (text_equal(name, "ssl_mode")) {
        for (size_t i = 0; value && i < ARRAY_LEN(modes); i++)
            if (text_equal_nocase(value, modes[i][0]))
                import_tls(o->entry, modes[i][1]);
    } else if (text_equal(name, "skip_ssl")) {
        o->skip_ssl = true;
    } else if (text_equal(name, "ssl")) {
        o->ssl = is_on(value);
        o->skip_ssl = !o->ssl;
    } else if (text_equal(name, "ssl_verify_server_cert")) {
        o->verify = is_on(value);
    } else {
        return false;
    }
    return true;
}

/* Sets a key, in place of the value from an earlier group; an empty value unsets it. */
static void put(struct option_state *o, enum key k, const char *value)
{
    import_drop(o->entry, k, NULL);
    import_put(o->entry, k, value);
}

static void put_password(struct option_state *o, const char *value)
{
    secret_free(o->entry->p.password);
    o->entry->p.password = NULL;
    import_password(o->entry, value, strlen(value));
}

static bool take_table(struct option_state *o, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (text_equal(name, plain[i].name)) {
            put(o, plain[i].key, value);
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (text_equal(name, switches[i].name)) {
            put(o, switches[i].key, is_on(value) ? "yes" : NULL);
            return true;
        }
    return false;
}

static void take_option(struct option_state *o, const char *name, const char *value)
{
    if (take_tls(o, name, value) || take_table(o, name, value))
        return;
    if (text_equal(name, "port")) {
        import_drop(o->entry, KEY_port, NULL);
        import_port(o->entry, value);
    } else if (text_equal(name, "password") && value) {
        put_password(o, value);
    } else if (text_equal(name, "protocol")) {
        o->is_socket = value && text_equal_nocase(value, "socket");
        o->is_tcp = value && text_equal_nocase(value, "tcp");
    } else if (!text_equal(name, "no_auto_rehash")) {
        import_leave(o->entry, name, "not a key of a profile");
    }
}

/* Applies options that depend on each other. An option file may have both host and socket: the socket is used
 * for localhost, or if the protocol says so. */
static void settle(struct option_state *o)
{
    const char *host = profile_str(&o->entry->p, KEY_host);
    bool is_local = !host || text_equal(host, "localhost");

    if (o->is_socket || (is_local && !o->is_tcp)) {
        setting_clear(&o->entry->p.set[KEY_host]);
        setting_clear(&o->entry->p.set[KEY_port]);
        if (!profile_str(&o->entry->p, KEY_socket))
            import_put(o->entry, KEY_socket, "auto");
    } else {
        setting_clear(&o->entry->p.set[KEY_socket]);
    }
    if (!o->entry->is_tls_said) {
        const char *level = o->skip_ssl                             ? "disabled"
                            : o->verify                             ? "verify-identity"
                            : profile_str(&o->entry->p, KEY_tls_ca) ? "verify-ca"
                            : o->ssl                                ? "preferred"
                                                                    : NULL;
        if (level)
            import_tls(o->entry, level);
    }
    if (profile_str(&o->entry->p, KEY_socket) && !text_equal(profile_str(&o->entry->p, KEY_tls), "disabled"))
        import_tls(o->entry, "preferred");
}

/* The lines of the text with their groups; the strings point into the text. */
struct line {
    const char *group, *name, *value;
};
struct lines {
    struct line *line;
    size_t count;
};

static void add_line(struct lines *l, const char *group, const char *name, const char *value)
{
    if ((l->count & (l->count - 1)) == 0)
        l->line = mem_grow(l->line, l->count ? 2 * l->count : 16, sizeof *l->line);
    l->line[l->count++] = (struct line){group, name, value};
}

static void trim_end(char *s)
{
    for (size_t n = strlen(s); n && strchr(" \t", s[n - 1]); n--)
        s[n - 1] = '\0';
}

/* Normalises an option's name in place: `-` becomes `_`, and a loose- prefix is removed. */
static char *option_name(char *name)
{
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    return text_starts(name, "loose_") ? name + 6 : name;
}

/* Splits a line, without its comment, at `=` into a name and a value. */
static void split_option(char *line, const char *group, struct lines *out)
{
    cut_comment(line);
    char *value = strchr(line, '=');
    if (value)
        *value++ = '\0';
    trim_end(line);
    if (value)
        trim_end(value);
    add_line(out, group, option_name(line), value ? option_value(value) : NULL);
}

/* A name ends at the first bracket; that of a login path, which has no comment after it, at the last. */
static void read_lines(struct buf *text, bool each_group, struct lines *out, struct import_list *list)
{
    char *at = text->data, *line;
    const char *group = NULL;

    while ((line = line_next(&at)) != NULL) {
        if (*line == '!')
            import_skip(list, "an include", "the import does not read included files");
        if (!*line || strchr("#;!", *line))
            continue;
        char *close = each_group ? strrchr(line, ']') : strchr(line, ']');
        if (*line == '[' && close) {
            *close = '\0';
            trim_end(line);
            group = line + 1;
            add_line(out, group, NULL, NULL);
        } else if (group) {
            split_option(line, group, out);
        }
    }
}

static bool is_base(const char *group, bool each_group)
{
    return text_equal(group, "client") || (!each_group && text_equal(group, "mysql"));
}

/* Returns the suffix that makes a group a connection; NULL if it is not one. */
static const char *suffix_of(const char *group, bool each_group)
{
    if (each_group)
        return group;
    return text_starts(group, "client_") ? group + 7 : text_starts(group, "mysql_") ? group + 6 : NULL;
}

static void take_group(const struct lines *l, const char *suffix, bool each_group, struct import_list *list)
{
    struct option_state o = {.entry = import_add(list, suffix ? suffix : "client")};

    if (!o.entry)
        return;
    for (size_t i = 0; i < l->count; i++)
        if (l->line[i].name && (is_base(l->line[i].group, each_group) ||
                                (suffix && text_equal(suffix_of(l->line[i].group, each_group), suffix))))
            take_option(&o, l->line[i].name, l->line[i].value);
    settle(&o);
}

static bool is_seen(const struct lines *l, size_t before, const char *suffix, bool each_group)
{
    for (size_t i = 0; i < before; i++)
        if (!l->line[i].name && text_equal(suffix_of(l->line[i].group, each_group), suffix))
            return true;
    return false;
}

/* Returns true if [client] has a host, user or socket and so describes a connection. */
static bool has_connection(const struct lines *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (text_equal(l->line[i].group, "client") &&
            (text_equal(l->line[i].name, "host") || text_equal(l->line[i].name, "user") ||
             text_equal(l->line[i].name, "socket")))
            return true;
    return false;
}

void option_groups(struct buf *text, bool each_group, struct import_list *list)
{
    struct lines l = {0};
    unsigned groups = 0;

    read_lines(text, each_group, &l, list);
    if (!each_group && has_connection(&l))
        take_group(&l, NULL, each_group, list);
    for (size_t i = 0; i < l.count && groups < GROUPS_MOST; i++) {
        const char *suffix = l.line[i].name ? NULL : suffix_of(l.line[i].group, each_group);
        if (!suffix || !*suffix || is_seen(&l, i, suffix, each_group))
            continue;
        take_group(&l, suffix, each_group, list);
        groups++;
    }
    mem_free_cleanup(&l.line);
}

static int read_option_file(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    (void)path;
    (void)e;
    option_groups(text, false, list);
    return 0;
}

const struct import_format import_option_file = {"my.cnf", is_option_file, read_option_file};
