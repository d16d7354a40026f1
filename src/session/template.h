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

/* The first placeholder in a word that contains the password, malloced; NULL if there is none. */
char *template_secret_in(const char *word);

/* Sets the variables of "NAME=TEMPLATE" (NULL-terminated, each checked by template_check(); may be NULL). */
int template_environment(char *const *templates, const struct template_values *v, struct env_changes *env,
                         struct err *e);

#endif
