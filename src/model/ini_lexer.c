/* SPDX-License-Identifier: MIT */
/* Shared by the two policies of the lexer: line numbers, and errors about a line. */
#include <model/ini_lexer.h>

#include <stdarg.h>
#include <stdio.h>

/* Counts in blocks of a fixed size, so that the compiler can vectorize the loop. */
unsigned ini_line(const char *text, size_t at)
{
    unsigned lines = 1;
    size_t i = 0;

    for (; i + BLOCK <= at; i += BLOCK) {
        unsigned char found = 0;
        for (size_t j = 0; j < BLOCK; j++)
            found = (unsigned char)(found + (text[i + j] == '\n'));
        lines += found;
    }
    for (; i < at; i++)
        lines += text[i] == '\n';
    return lines;
}

unsigned lexer_line(const struct lexer *x)
{
    return x->number ? x->number : ini_line(x->text, (size_t)(x->at - x->text));
}

int ini_refuse(struct lexer *x, const char *hint, const char *fmt, ...)
{
    char why[128];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    (void)err_set(x->e, ERR_CONFIG, "%s", why);
    (void)err_what(x->e, "%s:%u", x->name, lexer_line(x));
    return err_hint(x->e, "%s", hint);
}
