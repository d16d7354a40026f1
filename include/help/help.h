/* SPDX-License-Identifier: MIT */
/* Help: the topics, text in columns, and the pager. The help of verbs is made in command/help.c. */
#ifndef HELP_HELP_H
#define HELP_HELP_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <model/profile.h>

/* The width of all help texts in columns, and the size of the largest in bytes. */
#define HELP_COLUMNS 80
#define HELP_MOST (256 * 1024)

extern const struct help_topic {
    const char *name, *manual; /* `manual` is its manual page, as an argument of man(1) */
    void (*print)(struct buf *to);
} help_topic_table[]; /* the last entry's name is NULL */

/* Appends text that starts at column `at` and is wrapped; further lines start at column `indent`. Adds a line
 * end. */
void help_wrapped(const char *text, size_t at, size_t indent, struct buf *to);
/* Appends `word` at column `indent` and `text` at column `column`, on the next line if `word` is too long. */
void help_line(const char *word, const char *text, size_t indent, size_t column, struct buf *to);

/* If stdout is a terminal with fewer lines than the text, shows the text with $PAGER or less. Returns false
 * if the caller must print it. */
bool pager_show(const struct buf *text);

#endif
