/* SPDX-License-Identifier: MIT */
/* URLs as text: splits them, and finds and masks passwords in them. If a URL is malformed and it is unclear
 * which part is the password, more is masked rather than less. */
#include <model/url_parts.h>

#include <string.h>
#include <strings.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/url.h>

static struct span span_of(const char *from, const char *to)
{
    return (struct span){from, (size_t)(to - from)};
}

static const char *span_find(struct span s, char c)
{
    return s.n ? memchr(s.at, c, s.n) : NULL;
}

static const char *span_find_last(struct span s, char c)
{
    return s.n ? memrchr(s.at, c, s.n) : NULL;
}

static void split_authority(struct span authority, struct url_parts *out)
{
    const char *end = authority.at + authority.n, *at = span_find_last(authority, '@');

    if (at) {
        out->user = span_of(authority.at, at);
        const char *colon = span_find(out->user, ':');
        if (colon) {
            out->user = span_of(authority.at, colon);
            out->password = span_of(colon + 1, at);
        }
        authority = span_of(at + 1, end);
    }
    const char *close = authority.n && *authority.at == '[' ? span_find(authority, ']') : NULL;
    const char *colon = span_find(close ? span_of(close, end) : authority, ':');
    out->host = span_of(authority.at, colon ? colon : end);
    if (colon)
        out->port = span_of(colon + 1, end);
}

/* Splits SSHUSER@SSHHOST/USER:PASSWORD@HOST:PORT/DATABASE: the part before the path is the bastion, and the
 * server is in the path. The password may be only partly encoded, so it ends at the last `@`. */
static void split_ssh(struct url_parts *out)
{
    struct span path = out->path;
    const char *at = span_find_last(path, '@');
    struct span rest = at ? span_of(at + 1, path.at + path.n) : path;
    const char *slash = span_find(rest, '/'), *end = path.n ? path.at + path.n : NULL;

    out->ssh_user = out->user;
    out->ssh_password = out->password;
    out->ssh_host = out->host;
    out->ssh_port = out->port;
    out->user = out->password = out->host = out->port = out->path = (struct span){NULL, 0};
    if (path.n)
        split_authority(span_of(path.at, slash ? slash : end), out);
    if (slash)
        out->path = span_of(slash + 1, end);
}

static bool is_ssh_scheme(struct span scheme)
{
    return scheme.n >= 4 && strncasecmp(scheme.at + scheme.n - 4, "+ssh", 4) == 0;
}

/* Returns the start of an address in parentheses after the user: tcp(HOST:PORT), unix(/PATH) or (/PATH);
 * *close is its end. NULL if there is none. */
static const char *find_place(const char *rest, const char **open, const char **close)
{
    static const char *const words[] = {"(", "tcp(", "unix("};
    const char *at = span_find_last(span_of(rest, rest + strcspn(rest, "?#")), '@'),
               *place = at ? at + 1 : rest;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!text_starts(place, words[i]))
            continue;
        *open = place + strlen(words[i]);
        *close = strchr(*open, ')');
        /* A parenthesis after a slash is part of the path, not an address. */
        return *close && strchr("/?#", (*close)[1]) && !memchr(rest, '/', (size_t)(place - rest)) ? place
                                                                                                  : NULL;
    }
    return NULL;
}

/* Parses user, host and port, or the socket, and returns where they end. */
static const char *split_place(const char *rest, struct url_parts *out)
{
    const char *end = rest + strcspn(rest, "/?#"), *open, *close;
    const char *place = is_ssh_scheme(out->scheme) ? NULL : find_place(rest, &open, &close);

    split_authority(span_of(rest, place ? place : end), out);
    if (!place)
        return end;
    if (*open == '/' || strncasecmp(open, "%2f", 3) == 0)
        out->socket = span_of(open, close);
    else
        split_authority(span_of(open, close), out);
    return close + 1;
}

void url_split(const char *url, struct url_parts *out)
{
    const char *mark = strstr(url, "://"), *rest = mark + 3;

    *out = (struct url_parts){.scheme = span_of(url, mark)};
    const char *end = split_place(rest, out);
    if (*end == '/') {
        rest = end + 1;
        end = rest + strcspn(rest, "?#");
        out->path = span_of(rest, end);
    }
    if (*end == '?') {
        rest = end + 1;
        end = rest + strcspn(rest, "#");
        out->query = span_of(rest, end);
    }
    out->fragment = *end == '#' ? end : NULL;
    if (is_ssh_scheme(out->scheme))
        split_ssh(out);
}

bool url_next_parameter(struct span *query, struct span *name, struct span *value)
{
    if (!query->n)
        return false;
    const char *end = query->at + query->n, *amp = span_find(*query, '&');
    struct span one = span_of(query->at, amp ? amp : end);
    const char *equals = span_find(one, '=');
    *name = equals ? span_of(one.at, equals) : one;
    *value = equals ? span_of(equals + 1, one.at + one.n) : (struct span){NULL, 0};
    *query = amp ? span_of(amp + 1, end) : span_of(end, end);
    return true;
}

bool url_is(const char *word)
{
    return strstr(word, "://") != NULL;
}

static bool is_secret_name(struct span name)
{
    AUTO_FREE(char *, text);

    text = mem_strndup(name.at, name.n);
    return key_is_secret(text);
}

/* Returns what may be the rest of a password with a `/`, `?` or `#` that should have been encoded, as in
 * user:pass/word@host: there is an `@` in the path, or anywhere after a port that is not a number. */
static struct span stray_password(const struct url_parts *u)
{
    const char *from = u->password.at ? u->password.at : u->port.at, *at = span_find_last(u->path, '@');
    bool is_number = true;

    for (size_t i = 0; i < u->port.n; i++)
        is_number = is_number && u->port.at[i] >= '0' && u->port.at[i] <= '9';
    if (!is_number)
        at = strrchr(u->port.at, '@');
    return from && at && at > from ? span_of(from, at) : (struct span){NULL, 0};
}

/* Returns the password in USER:PASSWORD@HOST without its scheme, or in USER:PASSWORD alone that is not
 * HOST:PORT. These are typing errors, and never valid profile names. */
static struct span bare_password(const char *word)
{
    const char *colon = strchr(word, ':'), *at = strrchr(word, '@');

    if (colon && at > colon + 1)
        return span_of(colon + 1, at);
    if (colon && !at && !strchr(colon + 1, ':') && colon[1 + strspn(colon + 1, "0123456789")])
        return span_of(colon + 1, colon + strlen(colon));
    return (struct span){NULL, 0};
}

/* Calls `each` for what may be a password in text that is neither a name nor a URL: in USER:PASSWORD, in a
 * connection string (Pwd=PASSWORD;...), after the -p of a mysql command. */
static void each_bare_password(const char *word, void (*each)(void *context, struct span s), void *context)
{
    const char *end = word + strlen(word), *option = strstr(word, " -p");
    struct span bare = bare_password(word);

    if (bare.at)
        each(context, bare);
    for (const char *equals = strchr(word, '='), *next; equals; equals = strchr(next, '=')) {
        const char *name = equals;
        while (name > word && !strchr(" ;&?=", name[-1]))
            name--;
        next = equals + 1;
        if (is_secret_name(span_of(name, equals))) {
            next += strcspn(next, ";");
            each(context, span_of(equals + 1, next));
        }
    }
    if (option && option[3] != '\0' && option[3] != ' ')
        each(context, span_of(option + 3, end));
}

/* Calls `each` for every span that is or may be a password. */
static void each_password(const char *url, void (*each)(void *context, struct span s), void *context)
{
    struct url_parts u;
    struct span name, value;

    if (!url_is(url)) {
        each_bare_password(url, each, context);
        return;
    }
    url_split(url, &u);
    struct span stray = stray_password(&u), query = u.query;
    if (u.password.at)
        each(context, u.password);
    if (u.ssh_password.at)
        each(context, u.ssh_password);
    if (stray.at)
        each(context, stray);
    while (url_next_parameter(&query, &name, &value))
        if (value.at && is_secret_name(name))
            each(context, value);
}

static void note_password(void *found, struct span s)
{
    *(bool *)found = *(bool *)found || s.n > 0;
}

bool url_has_password(const char *url)
{
    bool found = false;

    each_password(url, note_password, &found);
    return found;
}

static void hide_span(void *url, struct span s)
{
    char *start = url;

    memset(start + (s.at - start), '*', s.n);
}

void url_mask(char *url)
{
    each_password(url, hide_span, url);
}
