/* SPDX-License-Identifier: MIT */
/* Lays out help text: wrapped lines, and rows of two columns. */
#include <help/help.h>

#include <string.h>

void help_wrapped(const char *text, size_t at, size_t indent, struct buf *to)
{
    bool first = true;

    while (*text) {
        size_t n = strcspn(text, " ");
        if (!first && at + 1 + n > HELP_COLUMNS) {
            buf_printf(to, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            buf_putc(to, ' ');
            at++;
        }
        buf_add(to, text, n);
        at += n;
        text += n + strspn(text + n, " ");
        first = false;
    }
    buf_putc(to, '\n');
}

void help_line(const char *word, const char *text, size_t indent, size_t column, struct buf *to)
{
    size_t end = indent + strlen(word);

    buf_printf(to, "%*s%s", (int)indent, "", word);
    if (end + 2 > column) {
        buf_putc(to, '\n');
        end = 0;
    }
    buf_printf(to, "%*s", (int)(column - end), "");
    help_wrapped(text, column, column, to);
}
