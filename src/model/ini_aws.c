/* SPDX-License-Identifier: MIT */
/*
 * AWS's policy of the INI lexer, for ~/.aws/config and ~/.aws/credentials: see docs/aws-files.md. It reads
 * lines as the AWS CLI does, which uses Python's configparser. A property is reported only after its
 * continuation lines have been read.
 */
#include <model/ini_lexer.h>

#include <base/space.h>

#include "utf8.h"

static const struct ini_fault no_bracket = {"no ']' at the end of a section's name",
                                            "write [NAME] or [profile NAME]"},
                              no_equals = {"no '=' in a property",
                                           "a line is KEY = VALUE, [SECTION] or # COMMENT"},
                              no_key = {"no key before '=' in a property",
                                        "a line is KEY = VALUE, [SECTION] or # COMMENT"},
                              no_nested_equals = {"no '=' in a sub-property",
                                                  "an indented line below KEY = is NAME = VALUE"},
                              no_text = {"not UTF-8", "save the file as plain UTF-8 text"};

struct aws {
    struct lexer *x;
    struct line l;          /* the current line without surrounding white space */
    size_t indent, level;   /* the indentation, in characters, of this line and of the last header or key */
    struct ini_event event; /* the property that the next line may continue */
    char *tail;             /* the end of that property's value; NULL: there is no property */
    size_t empty;           /* empty lines since then, which become part of the value if it continues */
    bool is_parent;         /* the value is empty so far, so continuation lines are sub-properties */
    bool is_open; /* a line that is indented more continues the previous line, even if that is not a property
                   */
};

/* Takes one line. As with Python's "universal newlines", it ends with LF, CR LF or CR. */
static struct line take_any_line(char *start, char *end)
{
    char *at = start;

    while (at < end && *at != '\n' && *at != '\r')
        at++;
    return (struct line){start, at, at + (at < end) + (at + 1 < end && at[0] == '\r' && at[1] == '\n')};
}

static size_t characters(const char *s, const char *end)
{
    size_t n = 0;

    for (; s < end; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void strip(char **start, char **end)
{
    *start += space_lead(*start, (size_t)(*end - *start));
    *end = *start + space_trim(*start, (size_t)(*end - *start));
}

static bool is_text(const struct line *l)
{
    for (const char *s = l->start; s < l->end;) {
        size_t n = utf8_len(s, (size_t)(l->end - s));
        if (!n)
            return false;
        s += n;
    }
    return true;
}

static int fault(struct aws *k, const struct ini_fault *what)
{
    struct ini_event event = event_of(k->x, k->l, NULL, NULL);

    event.fault = what;
    return k->x->handle(k->x->context, &event, k->x->e);
}

/* Reports the pending property, which can no longer be continued. */
static int flush(struct aws *k)
{
    if (!k->tail)
        return 0;
    *k->tail = '\0';
    k->tail = NULL;
    return k->x->handle(k->x->context, &k->event, k->x->e);
}

/* --- lexing section headers --- */

static int begin_section(struct aws *k, char *name, char *end)
{
    *end = '\0';
    k->x->section = name;
    const struct ini_event event = event_of(k->x, k->l, NULL, NULL);
    return k->x->handle(k->x->context, &event, k->x->e);
}

static char *find_delimiter(const struct line *l)
{
    char *at = l->start;

    while (at < l->end && *at != '=' && *at != ':')
        at++;
    return at;
}

/*
 * Takes a header. The name ends at the last bracket of the line, whatever follows. Without a bracket the
 * section cannot be used, nor can the section above it if the AWS CLI would read the line as one of its
 * properties.
 */
static int take_header(struct aws *k)
{
    char *name = k->l.start + 1, *bracket = k->l.end - 1;
    bool is_property = find_delimiter(&k->l) < k->l.end;

    while (bracket > name && *bracket != ']')
        bracket--;
    if (flush(k) < 0)
        return -1;
    k->is_open = bracket <= name;
    if (!k->is_open)
        return begin_section(k, name, bracket);
    if (is_property && k->x->section && fault(k, &no_bracket) < 0)
        return -1;
    return begin_section(k, name, k->l.end) < 0 ? -1 : fault(k, &no_bracket);
}

/* --- lexing properties --- */

static int take_property(struct aws *k)
{
    char *key = k->l.start, *delimiter = find_delimiter(&k->l);

    if (!k->x->section)
        return ini_refuse(k->x, "begin with [default] or [profile NAME]", "a key before the first section");
    if (delimiter >= k->l.end)
        return fault(k, &no_equals);
    if (delimiter == key)
        return fault(k, &no_key);
    if (flush(k) < 0)
        return -1;
    char *value = delimiter + 1, *end = k->l.end;
    strip(&value, &end);
    key[space_trim(key, (size_t)(delimiter - key))] = '\0';
    for (char *s = key; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
    k->event = event_of(k->x, k->l, key, value);
    k->tail = end;
    k->empty = 0;
    k->is_parent = value == end;
    k->is_open = true;
    return 0;
}

/* Returns true if the line contains a character at which Python's str.splitlines(), with which the AWS CLI
 * splits sub-properties, ends a line. */
static bool has_line_end(const struct line *l)
{
    size_t n = (size_t)(l->end - l->start);

    for (const char *s = l->start; s < l->end; s++)
        if ((*s >= '\n' && *s <= '\r') || (*s >= '\x1c' && *s <= '\x1e'))
            return true;
    return memmem(l->start, n, "\xc2\x85", 2) || memmem(l->start, n, "\xe2\x80\xa8", 3) ||
           memmem(l->start, n, "\xe2\x80\xa9", 3);
}

/* Appends a continuation line to the value in place: an LF plus the stripped text is never longer than the
 * line end plus the line. */
static int take_continuation(struct aws *k)
{
    size_t n = (size_t)(k->l.end - k->l.start);

    if (!k->tail)
        return 0;
    if (k->is_parent && (find_byte(k->l.start, k->l.end, '=') == k->l.end || has_line_end(&k->l)))
        return fault(k, &no_nested_equals);
    memset(k->tail, '\n', k->empty + 1);
    k->tail += k->empty + 1;
    memmove(k->tail, k->l.start, n);
    k->tail += n;
    k->empty = 0;
    k->event.end = (size_t)(k->l.next - k->x->text);
    return 0;
}

/* --- lexing lines --- */

static int take_one(struct aws *k)
{
    char *margin = k->l.start;

    strip(&k->l.start, &k->l.end);
    if (k->l.start == k->l.end) {
        k->empty++;
        return 0;
    }
    if (*k->l.start == '#' || *k->l.start == ';')
        return 0;
    k->indent = characters(margin, k->l.start);
    bool goes_on = k->is_open && k->indent > k->level, is_bad = !is_text(&k->l);
    if (!goes_on)
        k->level = k->indent;
    if ((goes_on ? take_continuation(k) : *k->l.start == '[' ? take_header(k) : take_property(k)) < 0)
        return -1;
    return is_bad ? fault(k, &no_text) : 0;
}

int ini_lex_aws(struct lexer *x)
{
    struct aws k = {.x = x};

    x->at = find_byte(x->text, x->end, '\0');
    if (x->at < x->end)
        return ini_refuse(x, "save the file as plain text", "NUL byte");
    for (char *next = x->text; next < x->end; next = k.l.next) {
        k.l = take_any_line(next, x->end);
        x->number++;
        if (take_one(&k) < 0)
            return -1;
    }
    return flush(&k);
}
