/* SPDX-License-Identifier: MIT */
/* Hints that contain a shell command, quoted so that users can copy it. */
#include <base/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/text.h>

#define ELLIPSIS "..."
#define TAIL_LEAST 100 /* bytes kept free for the text after the last argument */

static void put_word(struct buf *out, const char *word, size_t room)
{
    bool at_home = text_starts(word, "~/") && word[2];
    AUTO_BUF(quoted, 4 * sizeof(struct err));

    if (at_home)
        buf_puts(&quoted, "~/");
    text_quote_sh(&quoted, at_home ? word + 2 : word);
    bool shows = buf_ok(&quoted) && out->len + quoted.len <= room && text_is_plain_line(word);
    buf_puts(out, shows ? buf_str(&quoted) : ELLIPSIS);
}

/* Returns the length of the next piece of a format string: one conversion, or the text up to the next one. */
static size_t piece_len(const char *at)
{
    if (*at != '%')
        return strcspn(at, "%");
    return text_starts(at, "%ld") ? strlen("%ld") : strlen("%s");
}

int err_hint_sh(struct err *e, const char *fmt, ...)
{
    AUTO_BUF(text, 8 * sizeof e->hint);
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    for (const char *at = fmt; *at; at += n) {
        n = piece_len(at);
        if (text_starts(at, "%s"))
            put_word(&text, va_arg(ap, const char *), sizeof e->hint - TAIL_LEAST);
        else if (text_starts(at, "%u"))
            buf_printf(&text, "%u", va_arg(ap, unsigned));
        else if (text_starts(at, "%ld"))
            buf_printf(&text, "%ld", va_arg(ap, long));
        else
            buf_add(&text, at, n);
    }
    va_end(ap);
    return err_hint(e, "%s", buf_str(&text));
}
