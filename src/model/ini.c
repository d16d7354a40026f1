/*
 * The INI lexer with its two policies. It finds lines, headers, keys and values, and cuts them into strings
 * in place; it deliberately knows no section, no key and no merging rule: config.c and the aws room do.
 * Everything per byte is done by memchr() or by a loop that the compiler turns into vector code, because
 * every run of the program lexes a whole file to use one section of it.
 */
#include <model/ini.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <model/utf8.h>

struct lexer {
    const char *name;
    char *text, *end;        /* *end is the NUL behind the text */
    char *line, *eol, *next; /* the current line, without its CR and LF, and where the next one starts */
    unsigned number;
    char *hash, *semicolon; /* strict: the next of each, looked for once and kept while it lies ahead */
    ini_handler *handle;
    void *context;
    struct err *e;
    struct ini_event event;
    char *tail;                 /* AWS: where the value that may be continued ends; NULL: there is none */
    bool is_parent, is_ignored; /* AWS: it holds sub-properties; its key is none */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s, const char *end)
{
    while (s < end && is_blank(*s))
        s++;
    return s;
}

static char *trim_blanks(const char *start, char *end)
{
    while (end > start && is_blank(end[-1]))
        end--;
    return end;
}

static char *find_byte(char *from, char *end, char c)
{
    char *at = from < end ? memchr(from, c, (size_t)(end - from)) : NULL;

    return at ? at : end;
}

__attribute__((format(printf, 3, 4))) static int refuse(struct lexer *x, const char *hint, const char *fmt,
                                                        ...)
{
    char why[128];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    (void)err_set(x->e, ERR_CONFIG, "%s", why);
    (void)err_what(x->e, "%s:%u", x->name, x->number);
    return err_hint(x->e, "%s", hint);
}

static void take_line(struct lexer *x)
{
    char *lf = find_byte(x->next, x->end, '\n');

    x->line = x->next;
    x->eol = lf > x->line && lf < x->end && lf[-1] == '\r' ? lf - 1 : lf;
    x->next = lf < x->end ? lf + 1 : lf;
    x->number++;
}

/* Fills the event for the current line. A NULL key makes it a header's. */
static void begin_event(struct lexer *x, const char *key, const char *value)
{
    x->event.key = key;
    x->event.value = value;
    x->event.line = x->number;
    x->event.start = (size_t)(x->line - x->text);
    x->event.end = (size_t)(x->next - x->text);
}

/* --- the strict policy
 * ------------------------------------------------------------------------------------------- */

#define BLOCK 64

/* Whether no byte of the block needs a second look. As signed bytes, both controls and UTF-8 are below 32. */
static bool is_plain_block(const char *s)
{
    unsigned bad = 0;

    for (size_t i = 0; i < BLOCK; i++)
        bad |= (unsigned)(((signed char)s[i] < 0x20) & (s[i] != '\n') & (s[i] != '\t')) |
               (unsigned)(s[i] == 0x7f);
    return !bad;
}

static bool is_control(const char *s)
{
    unsigned char c = (unsigned char)*s;

    return (c < 0x20 && c != '\n' && c != '\t' && !(c == '\r' && s[1] == '\n')) || c == 0x7f;
}

/* Looks at every byte of the text once, before any line is cut: only clean text reaches the rest. */
static int check_text(struct lexer *x)
{
    static const char hint[] = "save the file as plain UTF-8 text";
    char *s = x->text, *slow = x->text, *seen = x->text;

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
        for (x->number = 1; (seen = find_byte(seen, s, '\n')) < s; seen++)
            x->number++;
        if (!n)
            return refuse(x, hint, "not UTF-8");
        return *s ? refuse(x, hint, "control character 0x%02x", (unsigned char)*s)
                  : refuse(x, hint, "NUL byte");
    }
    return 0;
}

/* The `#` or `;` that has a blank before it, NUL where there is none. */
static char find_comment(struct lexer *x, char *from, const char *to)
{
    if (x->hash < from)
        x->hash = find_byte(from, x->end, '#');
    if (x->semicolon < from)
        x->semicolon = find_byte(from, x->end, ';');
    if (x->hash >= to && x->semicolon >= to)
        return '\0';
    for (const char *s = from; s < to; s++)
        if ((*s == '#' || *s == ';') && is_blank(s[-1]))
            return *s;
    return '\0';
}

/* Unquotes in place: the text only gets shorter. `value` is at the opening quote. */
static int unquote(struct lexer *x, char *value, const char *end)
{
    static const char how[] = "quote the whole value; inside, \\\" is a quote and \\\\ a backslash";
    char *to = value;

    for (char *s = value + 1; s < end; s++) {
        if (*s == '"') {
            if (s + 1 < end)
                return refuse(x, how, "text after the closing quote");
            *to = '\0';
            return 0;
        }
        if (*s == '\\' && ++s < end && *s != '"' && *s != '\\')
            return refuse(x, how, "unknown escape in a quoted value");
        if (s < end)
            *to++ = *s;
    }
    return refuse(x, how, "no closing quote");
}

static int strict_header(struct lexer *x)
{
    char *end = trim_blanks(x->line, x->eol), *close = find_byte(x->line, end, ']');

    if (close == end)
        return refuse(x, "write [defaults], [profile NAME] or [tunnel NAME]",
                      "no ']' at the end of a section's name");
    if (close + 1 < end)
        return refuse(x, "put it on a line of its own", "text after ']'");
    char *name = skip_blanks(x->line + 1, close);
    close = trim_blanks(name, close);
    *close = '\0';
    x->event.section = name;
    begin_event(x, NULL, NULL);
    return x->handle(x->context, &x->event, x->e);
}

static int strict_property(struct lexer *x)
{
    char *equals = find_byte(x->line, x->eol, '='), *key_end = trim_blanks(x->line, equals);

    if (!x->event.section)
        return refuse(x, "begin with [defaults] or [profile NAME]", "a key before the first section");
    if (equals == x->eol)
        return refuse(x, "a line is KEY = VALUE, [SECTION] or # COMMENT", "no '=' in this line");
    if (key_end == x->line)
        return refuse(x, "a line is KEY = VALUE, [SECTION] or # COMMENT", "no key before '='");
    char *value = skip_blanks(equals + 1, x->eol), *end = trim_blanks(value, x->eol);
    if (value < end && *value == '"') {
        if (unquote(x, value, end) < 0)
            return -1;
    } else {
        char mark = find_comment(x, value, end);
        if (mark)
            return refuse(x, "quote the value: \"...\"; a comment has a line of its own",
                          "unquoted ' %c' in a value", mark);
        *end = '\0';
    }
    *key_end = '\0';
    begin_event(x, x->line, value);
    return x->handle(x->context, &x->event, x->e);
}

static int strict_line(struct lexer *x)
{
    if (x->eol - x->line > INI_LINE_MAX)
        return refuse(x, "shorten it", "line over %d bytes", INI_LINE_MAX);
    if (x->line == x->eol || *x->line == '#' || *x->line == ';')
        return 0;
    if (*x->line == '[')
        return strict_header(x);
    if (!is_blank(*x->line))
        return strict_property(x);
    char *s = skip_blanks(x->line, x->eol);
    if (s == x->eol || *s == '#' || *s == ';')
        return 0;
    return refuse(x, "delete the blanks; a value ends with its line", "line starts with a blank");
}

/* --- AWS's policy (docs/aws-files.md)
 * ---------------------------------------------------------------------------- */

static bool is_aws_name(const char *s)
{
    return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.%@:+")] == '\0';
}

/* Hands over the property that could have been continued until now. */
static int aws_flush(struct lexer *x)
{
    if (!x->tail)
        return 0;
    *x->tail = '\0';
    x->tail = NULL;
    return x->is_ignored ? 0 : x->handle(x->context, &x->event, x->e);
}

/* Where the line from `start` on ends without its comment, which needs a blank before it unless in a header.
 */
static char *aws_cut_comment(const struct lexer *x, char *start, bool needs_blank)
{
    char *s = start;

    while (s < x->eol && !((*s == '#' || *s == ';') && (!needs_blank || (s > start && is_blank(s[-1])))))
        s++;
    return trim_blanks(start, s);
}

static int aws_header(struct lexer *x)
{
    char *end = aws_cut_comment(x, x->line, false);

    if (aws_flush(x) < 0)
        return -1;
    if (end[-1] != ']')
        return refuse(x, "write [NAME] or [profile NAME]", "no ']' at the end of a section's name");
    char *name = skip_blanks(x->line + 1, end - 1);
    end = trim_blanks(name, end - 1);
    *end = '\0';
    x->event.section = name;
    begin_event(x, NULL, NULL);
    return x->handle(x->context, &x->event, x->e);
}

/* Checks `KEY = VALUE`; *equals is where the key ends. */
static int aws_split(struct lexer *x, char *line, char *end, const char *what, char **equals)
{
    static const char hint[] = "a line is KEY = VALUE, [SECTION] or # COMMENT";

    *equals = find_byte(line, end, '=');
    if (*equals >= end)
        return refuse(x, hint, "no '=' in a %s", what);
    if (trim_blanks(line, *equals) == line)
        return refuse(x, hint, "no key before '=' in a %s", what);
    return 0;
}

static int aws_property(struct lexer *x)
{
    char *end = aws_cut_comment(x, x->line, true), *equals;

    if (aws_flush(x) < 0)
        return -1;
    if (!x->event.section)
        return refuse(x, "begin with [default] or [profile NAME]", "a key before the first section");
    if (aws_split(x, x->line, end, "property", &equals) < 0)
        return -1;
    char *key_end = trim_blanks(x->line, equals), *value = skip_blanks(equals + 1, end);
    for (char *s = x->line; s < key_end; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
    *key_end = '\0';
    begin_event(x, x->line, value);
    x->tail = end;
    x->is_parent = value == end;
    x->is_ignored = !is_aws_name(x->line);
    return 0;
}

/* A continued value grows in place: LF and the trimmed text are never longer than line end, blank and text.
 */
static int aws_continuation(struct lexer *x)
{
    char *start = skip_blanks(x->line, x->eol), *end = trim_blanks(start, x->eol), *equals;

    if (!x->event.section)
        return refuse(x, "begin with [default] or [profile NAME]", "a continuation before the first section");
    if (!x->tail)
        return refuse(x, "delete the blanks at its start", "a continuation without a property");
    if (x->is_parent && aws_split(x, start, aws_cut_comment(x, start, true), "sub-property", &equals) < 0)
        return -1;
    *x->tail++ = '\n';
    memmove(x->tail, start, (size_t)(end - start));
    x->tail += end - start;
    x->event.end = (size_t)(x->next - x->text);
    return 0;
}

static int aws_line(struct lexer *x)
{
    if (skip_blanks(x->line, x->eol) == x->eol || *x->line == '#' || *x->line == ';')
        return 0;
    if (*x->line == '[')
        return aws_header(x);
    return is_blank(*x->line) ? aws_continuation(x) : aws_property(x);
}

/* ------------------------------------------------------------------------------------------------------------------
 */

static int lex_strict(struct lexer *x)
{
    if (check_text(x) < 0)
        return -1;
    if (x->end - x->text >= 3 && memcmp(x->text, "\xef\xbb\xbf", 3) == 0)
        x->next += 3;
    x->hash = x->semicolon = x->text;
    x->number = 0;
    while (x->next < x->end) {
        take_line(x);
        if (strict_line(x) < 0)
            return -1;
    }
    return 0;
}

static int lex_aws(struct lexer *x)
{
    char *nul = find_byte(x->text, x->end, '\0');

    while (x->next < x->end) {
        take_line(x);
        if (nul < x->next && nul < x->end)
            return refuse(x, "save the file as plain text", "NUL byte");
        if (aws_line(x) < 0)
            return -1;
    }
    return aws_flush(x);
}

int ini_parse(const char *name, char *text, size_t n, enum ini_policy policy, ini_handler *handle,
              void *context, struct err *e)
{
    struct lexer x = {.name = name,
                      .text = text,
                      .end = text + n,
                      .next = text,
                      .handle = handle,
                      .context = context,
                      .e = e};

    return policy == INI_AWS ? lex_aws(&x) : lex_strict(&x);
}
