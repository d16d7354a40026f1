/*
 * AWS's policy of the INI lexer, for ~/.aws/config and ~/.aws/credentials: docs/aws-files.md. A property is
 * handed over only when its continuation lines have been read.
 */
#include <model/ini_lexer.h>

struct aws {
    struct lexer *x;
    struct line l;
    struct ini_event event;     /* of the property that may be continued */
    char *tail;                 /* where its value ends; NULL: there is none */
    bool is_parent, is_ignored; /* it holds sub-properties; its key is none */
};

static bool is_name(const char *s)
{
    return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.%@:+")] == '\0';
}

/* Hands over the property that could have been continued until now. */
static int flush(struct aws *k)
{
    if (!k->tail)
        return 0;
    *k->tail = '\0';
    k->tail = NULL;
    return k->is_ignored ? 0 : k->x->handle(k->x->context, &k->event, k->x->e);
}

/* Where the line from `start` on ends without its comment, which needs a blank before it unless in a header.
 */
static char *cut_comment(const struct aws *k, char *start, bool needs_blank)
{
    char *s = start;

    while (s < k->l.end && !((*s == '#' || *s == ';') && (!needs_blank || (s > start && is_blank(s[-1])))))
        s++;
    return trim_blanks(start, s);
}

static int take_header(struct aws *k)
{
    char *end = cut_comment(k, k->l.start, false);

    if (flush(k) < 0)
        return -1;
    if (end[-1] != ']')
        return ini_refuse(k->x, "write [NAME] or [profile NAME]", "no ']' at the end of a section's name");
    char *name = skip_blanks(k->l.start + 1, end - 1);
    *trim_blanks(name, end - 1) = '\0';
    k->x->section = name;
    const struct ini_event event = event_of(k->x, k->l, NULL, NULL);
    return k->x->handle(k->x->context, &event, k->x->e);
}

/* Checks `KEY = VALUE`; *equals is where the key ends. */
static int split(struct aws *k, char *line, char *end, const char *what, char **equals)
{
    static const char form[] = "a line is KEY = VALUE, [SECTION] or # COMMENT";

    *equals = find_byte(line, end, '=');
    if (*equals >= end)
        return ini_refuse(k->x, form, "no '=' in a %s", what);
    if (trim_blanks(line, *equals) == line)
        return ini_refuse(k->x, form, "no key before '=' in a %s", what);
    return 0;
}

static int take_property(struct aws *k)
{
    char *key = k->l.start, *end = cut_comment(k, key, true), *equals;

    if (flush(k) < 0)
        return -1;
    if (!k->x->section)
        return ini_refuse(k->x, "begin with [default] or [profile NAME]", "a key before the first section");
    if (split(k, key, end, "property", &equals) < 0)
        return -1;
    char *key_end = trim_blanks(key, equals), *value = skip_blanks(equals + 1, end);
    for (char *s = key; s < key_end; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
    *key_end = '\0';
    k->event = event_of(k->x, k->l, key, value);
    k->tail = end;
    k->is_parent = value == end;
    k->is_ignored = !is_name(key);
    return 0;
}

/* A continued value grows in place: LF and the trimmed text are never longer than line end, blank and text.
 */
static int take_continuation(struct aws *k)
{
    char *start = skip_blanks(k->l.start, k->l.end), *end = trim_blanks(start, k->l.end), *equals;

    if (!k->x->section)
        return ini_refuse(k->x, "begin with [default] or [profile NAME]",
                          "a continuation before the first section");
    if (!k->tail)
        return ini_refuse(k->x, "delete the blanks at its start", "a continuation without a property");
    if (k->is_parent && split(k, start, cut_comment(k, start, true), "sub-property", &equals) < 0)
        return -1;
    *k->tail++ = '\n';
    memmove(k->tail, start, (size_t)(end - start));
    k->tail += end - start;
    k->event.end = (size_t)(k->l.next - k->x->text);
    return 0;
}

static int take_one(struct aws *k)
{
    char *start = k->l.start;

    if (skip_blanks(start, k->l.end) == k->l.end || *start == '#' || *start == ';')
        return 0;
    if (*start == '[')
        return take_header(k);
    return is_blank(*start) ? take_continuation(k) : take_property(k);
}

int ini_lex_aws(struct lexer *x)
{
    struct aws k = {.x = x};
    char *next = x->text, *nul = find_byte(x->text, x->end, '\0');

    while (next < x->end) {
        k.l = take_line(next, x->end);
        next = k.l.next;
        x->number++;
        if (nul < next && nul < x->end)
            return ini_refuse(x, "save the file as plain text", "NUL byte");
        if (take_one(&k) < 0)
            return -1;
    }
    return flush(&k);
}
