/* SPDX-License-Identifier: MIT */
/* Shared by the two policies of the lexer, for ini*.c only. */
#ifndef MODEL_INI_LEXER_H
#define MODEL_INI_LEXER_H

#include <stdbool.h>
#include <string.h>

#include <model/ini.h>

struct lexer {
    const char *name;
    char *text, *end; /* *end is the NUL after the text */
    unsigned number;  /* the number of the current line; 0: count the lines up to `at` if it is needed */
    const char *at;
    const char *section;
    ini_handler *handle;
    void *context;
    struct err *e;
};

/* A line without its CR and LF, and the start of the next line. */
struct line {
    char *start, *end, *next;
};

/* Bytes per step in loops that the compiler vectorizes. */
#define BLOCK 64

unsigned lexer_line(const struct lexer *x);
int ini_lex_strict(struct lexer *x);
int ini_lex_headers(struct lexer *x);
int ini_lex_aws(struct lexer *x);

/* Reports an error in the current line: ERR_CONFIG. Returns -1. */
__attribute__((format(printf, 3, 4))) int ini_refuse(struct lexer *x, const char *hint, const char *fmt, ...);

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline char *skip_blanks(char *s, const char *end)
{
    while (s < end && is_blank(*s))
        s++;
    return s;
}

static inline char *trim_blanks(const char *start, char *end)
{
    while (end > start && is_blank(end[-1]))
        end--;
    return end;
}

/* Returns the first byte `c`, or `end` if there is none. */
static inline char *find_byte(char *from, char *end, char c)
{
    char *at = from < end ? memchr(from, c, (size_t)(end - from)) : NULL;

    return at ? at : end;
}

static inline struct line take_line(char *start, char *end)
{
    char *lf = find_byte(start, end, '\n');
    struct line l = {start, lf, lf};

    if (lf < end) {
        l.next = lf + 1;
        if (lf > start && lf[-1] == '\r')
            l.end = lf - 1;
    }
    return l;
}

static inline struct ini_event event_of(const struct lexer *x, struct line l, const char *key,
                                        const char *value)
{
    return (struct ini_event){.section = x->section,
                              .key = key,
                              .value = value,
                              .line = x->number,
                              .start = (size_t)(l.start - x->text),
                              .end = (size_t)(l.next - x->text)};
}

#endif
