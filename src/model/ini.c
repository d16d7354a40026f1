/* SPDX-License-Identifier: MIT */
/*
 * The INI lexer's entry points; ini_strict.c and ini_aws.c are its policies. It finds lines, headers, keys
 * and values and cuts them into strings in place. Sections, keys and merging are left to config*.c and the
 * aws module.
 */
#include <model/ini.h>

#include <model/ini_lexer.h>

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
