/* SPDX-License-Identifier: MIT */
/* Help: the topics, text in columns, and the pager. The help of verbs is made in command/help.c. */
#ifndef HELP_HELP_H
#define HELP_HELP_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <model/profile.h>

/* Help is text of at most so many columns. */
#define HELP_COLUMNS 80
#define HELP_MOST (256 * 1024)

extern const struct help_topic {
    const char *name, *manual; /* its manual page, as man takes it */
    void (*print)(struct buf *to);
} help_topic_table[]; /* ends with a name of NULL */

/* Words from column `at` on, wrapped; further lines start at column `indent`. Ends with a line end. */
void help_wrapped(const char *text, size_t at, size_t indent, struct buf *to);
/* A word at column `indent`, and a text from column `column` on, or below it if the word is long. */
void help_line(const char *word, const char *text, size_t indent, size_t column, struct buf *to);

/* If stdout is a terminal with fewer lines than the text has: shows it by $PAGER, or less. False: print it.
 */
bool pager_show(const struct buf *text);

#endif
