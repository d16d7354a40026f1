/* SPDX-License-Identifier: MIT */
/* Environment variables that are made of templates with placeholders. */
#ifndef SESSION_TEMPLATE_H
#define SESSION_TEMPLATE_H

#include <output/format.h>

/* What placeholders stand for: single values, and formats. Borrowed. */
struct template_values {
    const struct connection *both;   /* host, port and the socket beside them */
    const struct connection *driver; /* for formats that name one place */
    const struct format_how *how;
};

/* Whether the placeholder {NAME} contains the password. */
bool template_is_secret(const char *name);
/* The first such placeholder in a word, malloced; NULL if there is none. */
char *template_secret_in(const char *word);

/* Appends the text with its placeholders filled; other braces are copied. ERR_DATA for a value that cannot
 * stand there. */
int template_fill(const char *text, const struct template_values *v, struct buf *out, struct err *e);
/* Sets the variables of "NAME=TEMPLATE" (NULL-terminated, each checked by template_check(); may be NULL). */
int template_environment(char *const *templates, const struct template_values *v, struct env_changes *env,
                         struct err *e);

#endif
