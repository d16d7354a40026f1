/* SPDX-License-Identifier: MIT */
/*
 * The strict policy of the INI lexer, for our own config file. Each run lexes a whole file to use one section
 * of it. For speed, bytes are searched by memchr() or by loops that the compiler vectorizes, and lines cause
 * no allocation.
 */
#include <model/ini_lexer.h>
#include <model/utf8.h>

struct strict {
    struct lexer *x;
    char *hash, *semicolon; /* the next `#` and `;` in the text, cached until the lexer has passed them */
};

/* Returns true if the block has only printable ASCII. As signed chars, both control characters and bytes of
 * UTF-8 are below 32. */
static bool is_plain_block(const char *s)
{
    unsigned char bad = 0;

    for (size_t i = 0; i < BLOCK; i++)
        bad |=
            (unsigned char)((((signed char)s[i] < 0x20) & (s[i] != '\n') & (s[i] != '\t')) | (s[i] == 0x7f));
    return !bad;
}

static bool is_control(const char *s)
{
    unsigned char c = (unsigned char)*s;

    return (c < 0x20 && c != '\n' && c != '\t' && !(c == '\r' && s[1] == '\n')) || c == 0x7f;
}

/* Checks every byte of the text once, before any line is cut, so that the other functions see only valid
 * text. */
static int check_text(struct lexer *x)
{
    static const char hint[] = "save the file as plain UTF-8 text";
    char *s = x->text, *slow = x->text;

    while (s < x->end) {
        if (s >= slow && x->end - s >= BLOCK) {
            if (is_plain_block(s)) {
                s += BLOCK;
                continue;
            }
            slow = s + BLOCK;
        }
        size_t n = utf8_len(s, (size_t)(x->end - s));
        if (n && !is_control(s)) {
            s += n;
            continue;
        }
        x->number += ini_line(x->text, (size_t)(s - x->text));
        if (!n)
            return ini_refuse(x, hint, "not UTF-8");
        return *s ? ini_refuse(x, hint, "control character 0x%02x", (unsigned char)*s)
                  : ini_refuse(x, hint, "NUL byte");
    }
    return 0;
}

/* Returns the first `#` or `;` that follows a space; NUL if there is none. */
static char find_comment(struct strict *k, char *from, const char *to)
{
    if (k->hash < from)
        k->hash = find_byte(from, k->x->end, '#');
    if (k->semicolon < from)
        k->semicolon = find_byte(from, k->x->end, ';');
    if (k->hash >= to && k->semicolon >= to)
        return '\0';
    for (const char *s = from; s < to; s++)
        if ((*s == '#' || *s == ';') && is_blank(s[-1]))
            return *s;
    return '\0';
}

/* Unquotes in place, which never makes the text longer. `value` points to the opening quote. */
static int unquote(struct lexer *x, char *value, const char *end)
{
    static const char how[] = "quote the whole value; inside, \\\" is a quote and \\\\ a backslash";
    char *to = value;

    for (const char *s = value + 1; s < end; s++) {
        if (*s == '"') {
            if (s + 1 < end)
                return ini_refuse(x, how, "text after the closing quote");
            *to = '\0';
            return 0;
        }
        if (*s == '\\' && ++s < end && *s != '"' && *s != '\\')
            return ini_refuse(x, how, "unknown escape in a quoted value");
        if (s < end)
            *to++ = *s;
    }
    return ini_refuse(x, how, "no closing quote");
}

static int take_header(struct lexer *x, struct line l)
{
    char *end = trim_blanks(l.start, l.end), *close = find_byte(l.start, end, ']');

    if (close == end)
        return ini_refuse(x, "write [defaults], [profile NAME] or [tunnel NAME]",
                          "no ']' at the end of a section's name");
    if (close + 1 < end)
        return ini_refuse(x, "put it on a line of its own", "text after ']'");
    char *name = skip_blanks(l.start + 1, close);
    *trim_blanks(name, close) = '\0';
    x->section = name;
    const struct ini_event event = event_of(x, l, NULL, NULL);
    return x->handle(x->context, &event, x->e);
}

/* Returns the position of the `=`. *key_end is the end of the key, which may contain spaces. */
static char *find_equals(struct line l, char **key_end)
{
    char *s = l.start;

    while (s < l.end && *s != '=' && !is_blank(*s))
        s++;
    *key_end = s;
    s = skip_blanks(s, l.end);
    if (s < l.end && *s != '=') {
        s = find_byte(s, l.end, '=');
        *key_end = trim_blanks(l.start, s);
    }
    return s;
}

static int take_property(struct strict *k, struct line l)
{
    static const char form[] = "a line is KEY = VALUE, [SECTION] or # COMMENT";
    struct lexer *x = k->x;
    char *key_end, *equals = find_equals(l, &key_end), mark;

    if (!x->section)
        return ini_refuse(x, "begin with [defaults] or [profile NAME]", "a key before the first section");
    if (equals == l.end)
        return ini_refuse(x, form, "no '=' in this line");
    if (key_end == l.start)
        return ini_refuse(x, form, "no key before '='");
    char *value = skip_blanks(equals + 1, l.end), *end = trim_blanks(value, l.end);
    if (value < end && *value == '"') {
        if (unquote(x, value, end) < 0)
            return -1;
    } else if ((mark = find_comment(k, value, end)) != '\0') {
        return ini_refuse(x, "quote the value: \"...\"; a comment has a line of its own",
                          "unquoted ' %c' in a value", mark);
    } else {
        *end = '\0';
    }
    *key_end = '\0';
    const struct ini_event event = event_of(x, l, l.start, value);
    return x->handle(x->context, &event, x->e);
}

static int refuse_long(struct lexer *x)
{
    return ini_refuse(x, "shorten it", "line over %d bytes", INI_LINE_MAX);
}

static int take_one(struct strict *k, struct line l)
{
    if (l.end - l.start > INI_LINE_MAX)
        return refuse_long(k->x);
    l.start = skip_blanks(l.start, l.end);
    if (l.start == l.end || *l.start == '#' || *l.start == ';')
        return 0;
    return *l.start == '[' ? take_header(k->x, l) : take_property(k, l);
}

/* Lexes the lines from `next` to `end`, which both start a line. */
static int lex_lines(struct lexer *x, char *next, const char *end)
{
    struct strict k = {x, x->text, x->text};

    while (next < end) {
        struct line l = take_line(next, x->end);
        next = l.next;
        x->number++;
        if (take_one(&k, l) < 0)
            return -1;
    }
    return 0;
}

/* Skips a byte order mark, which may only start a file, not a section's body. */
static char *skip_mark(const struct lexer *x)
{
    bool has_mark = !x->section && x->end - x->text >= 3 && memcmp(x->text, "\xef\xbb\xbf", 3) == 0;

    return x->text + (has_mark ? 3 : 0);
}

int ini_lex_strict(struct lexer *x)
{
    return check_text(x) < 0 ? -1 : lex_lines(x, skip_mark(x), x->end);
}

/* Returns the next line whose first character after spaces is `[`; NULL at the end. */
static char *find_header(const char *start, char *s, char *end)
{
    for (; (s = find_byte(s, end, '[')) < end; s++) {
        char *line = s;
        while (line > start && is_blank(line[-1]))
            line--;
        if (line == start || line[-1] == '\n')
            return line;
    }
    return NULL;
}

int ini_lex_headers(struct lexer *x)
{
    if (check_text(x) < 0)
        return -1;
    char *start = skip_mark(x), *at = find_header(start, start, x->end);
    if (lex_lines(x, start, at ? at : x->end) < 0)
        return -1;
    for (char *next = NULL; at; at = find_header(start, next, x->end)) {
        struct line l = take_line(at, x->end);
        next = l.next;
        x->number = 0;
        x->at = at;
        bool is_long = l.end - l.start > INI_LINE_MAX;
        l.start = skip_blanks(l.start, l.end);
        if ((is_long ? refuse_long(x) : take_header(x, l)) < 0)
            return err_what(x->e, "%s:%u", x->name, lexer_line(x));
    }
    return 0;
}
