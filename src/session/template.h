/* SPDX-License-Identifier: MIT */
/* Environment variables that are made from templates with placeholders. */
#ifndef SESSION_TEMPLATE_H
#define SESSION_TEMPLATE_H

#include <output/format.h>

/* The values of the placeholders: single values, and formats. Borrowed. */
struct template_values {
    const struct connection *both;   /* has host and port as well as the socket */
    const struct connection *driver; /* for formats that name only one address */
    const struct format_how *how;
    const char *defaults_file; /* its path; NULL if no template contains the placeholder */
};

/* Returns the first placeholder in `word` that contains the password, malloced; NULL if there is none. */
char *template_secret_in(const char *word);

/* Sets the variables of "NAME=TEMPLATE" (NULL-terminated, each checked by template_check(); may be NULL). */
int template_environment(char *const *templates, const struct template_values *v, struct env_changes *env,
                         struct err *e);

#endif
