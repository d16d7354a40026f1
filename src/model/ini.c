/*
 * The INI lexer: choosing the policy, and its errors. It finds lines, headers, keys and values and cuts them
 * into strings in place; it deliberately knows no section, key or merging rule; config*.c and the aws module
 * do. The policies are ini_strict.c and ini_aws.c.
 */
#include <model/ini.h>

#include <stdarg.h>
#include <stdio.h>

#include <model/ini_lexer.h>

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

int ini_parse(const char *name, char *text, size_t n, enum ini_policy policy, ini_handler *handle,
              void *context, struct err *e)
{
    struct lexer x = {
        .name = name, .text = text, .end = text + n, .handle = handle, .context = context, .e = e};

    return policy == INI_AWS ? ini_lex_aws(&x) : ini_lex_strict(&x);
}

int ini_index(const char *name, char *text, size_t n, ini_handler *handle, void *context, struct err *e)
{
    struct lexer x = {
        .name = name, .text = text, .end = text + n, .handle = handle, .context = context, .e = e};

    return ini_lex_headers(&x);
}

int ini_parse_body(const char *name, const char *section, unsigned first, char *text, size_t n,
                   ini_handler *handle, void *context, struct err *e)
{
    struct lexer x = {.name = name,
                      .text = text,
                      .end = text + n,
                      .number = first - 1,
                      .section = section,
                      .handle = handle,
                      .context = context,
                      .e = e};

    return ini_lex_strict(&x);
}

/* In blocks of a fixed size, so that the compiler vectorizes the loop. */
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
