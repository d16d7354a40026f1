/* SPDX-License-Identifier: MIT */
/* All printing: errors, notes, verbose lines, tables. Other modules do not write to stdout or stderr. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/tty.h>

static bool is_set(const char *variable)
{
    const char *value = secure_getenv(variable);

    return value && *value;
}

/* Returns true if the stream is a terminal with colours and neither NO_COLOR (no-color.org) nor the config
 * forbids them. A config that cannot be read is ignored here. */
static bool wants_color(FILE *to)
{
    static int never = -1;
    AUTO_CONFIG(config);
    struct err ignored = ERR_INIT;

    if (!isatty(fileno(to)) || is_set("NO_COLOR") || !is_set("TERM") ||
        text_equal(secure_getenv("TERM"), "dumb"))
        return false;
    if (never < 0)
        never =
            config_load(&config, &ignored) == 0 && text_equal(config_file_key(config, FILE_color), "never");
    return !never;
}

static void put_mark(struct buf *out, FILE *to, enum mark mark, const char *text)
{
    static const char *const codes[] = {
        [MARK_BAD] = "1;31", [MARK_WARNING] = "1;33", [MARK_HINT] = "36", [MARK_GOOD] = "32"};

    if (wants_color(to))
        buf_printf(out, "\033[%sm%s\033[m", codes[mark], text);
    else
        buf_puts(out, text);
}

void print_mark(FILE *to, enum mark mark, const char *text)
{
    AUTO_BUF(marked, 256);

    put_mark(&marked, to, mark, text);
    (void)fputs(buf_str(&marked), to);
}

/* Appends a text as one line, sanitised, because a message may quote a server or a file. */
static void put_line(struct buf *out, const char *s)
{
    AUTO_BUF(line, 65536);

    for (; *s; s++)
        buf_putc(&line, *s == '\n' || *s == '\t' ? ' ' : *s);
    text_sanitise(out, buf_str(&line), line.len);
}

/* Returns the error's hint, or a general one, so that every error has a hint. */
static const char *hint_of(const struct err *e)
{
    switch (e->code) {
    case ERR_USAGE:
        return "broker help";
    case ERR_DATA:
    case ERR_CONFIG:
        return "broker profile check; broker help config";
    case ERR_IO:
        return "check that the path exists and is yours, and that the disk is not full";
    case ERR_TRY_LATER:
        return "try again";
    case ERR_LOGIN:
        return tty_way_out();
    default:
        return "--verbose says more";
    }
}

static void put_hint(struct buf *out, const char *hint)
{
    put_mark(out, stderr, MARK_HINT, "hint:");
    buf_putc(out, ' ');
    put_line(out, hint);
    buf_putc(out, '\n');
}

/* A message is written at once: it is not mixed with those of other processes, and is not begun if memory
 * runs out. */
void print_error(const struct err *e)
{
    AUTO_BUF(text, 131072);

    put_mark(&text, stderr, MARK_BAD, "broker:");
    buf_putc(&text, ' ');
    if (e->what[0]) {
        put_line(&text, e->what);
        buf_puts(&text, ": ");
    }
    put_line(&text, e->msg[0] ? e->msg : "failed");
    buf_putc(&text, '\n');
    for (const char *line = e->detail; *line; line += strcspn(line, "\n") + 1) {
        buf_puts(&text, "  ");
        text_sanitise(&text, line, strcspn(line, "\n"));
        buf_putc(&text, '\n');
    }
    put_hint(&text, e->hint[0] ? e->hint : hint_of(e));
    (void)fflush(stdout);
    (void)fputs(buf_str(&text), stderr);
}

/* The text is one line, because further lines could be taken for other messages. */
static void print_log(enum log_level level, const char *label, const char *text)
{
    AUTO_BUF(line, 65536);
    AUTO_BUF(out, 131072);

    if (level == LOG_WARNING) {
        put_mark(&out, stderr, MARK_WARNING, "broker: warning:");
        buf_printf(&line, " %s", text);
    } else if (level == LOG_NOTE || level == LOG_SAY) {
        buf_printf(&line, "%s", text);
    } else {
        AUTO_BUF(time, 64);
        buf_putc(&time, '+');
        clock_format_duration(&time, clock_since_start());
        buf_printf(&line, "%-5s  %-10s  %s", buf_str(&time), label, text);
    }
    put_line(&out, buf_str(&line));
    buf_putc(&out, '\n');
    if (level == LOG_WARNING && label)
        put_hint(&out, label);
    (void)fputs(buf_str(&out), stderr);
}

void print_log_to_stderr(enum log_level most)
{
    log_set_sink(print_log, most);
}

void table_add(struct table *t, const char *cell)
{
    AUTO_BUF(clean, 65536);

    text_sanitise_line(&clean, cell && *cell ? cell : "-", cell && *cell ? strlen(cell) : 1);
    t->cell = mem_grow(t->cell, t->count + 1, sizeof *t->cell);
    t->cell[t->count++] = buf_take(&clean);
}

void table_print(const struct table *t, FILE *to)
{
    AUTO_FREE(size_t *, widest);

    widest = mem_alloc(t->columns, sizeof *widest);
    for (size_t i = 0; i < t->count; i++) {
        size_t width = text_columns(t->cell[i]);
        if (width > widest[i % t->columns])
            widest[i % t->columns] = width;
    }
    for (size_t i = 0; i < t->count; i++) {
        size_t column = i % t->columns;
        if (column + 1 < t->columns)
            (void)fprintf(to, "%s%*s  ", t->cell[i], (int)(widest[column] - text_columns(t->cell[i])), "");
        else
            (void)fprintf(to, "%s\n", t->cell[i]);
    }
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cell[i]);
    free(t->cell);
    t->cell = NULL;
    t->count = 0;
}

int stdout_finish(struct err *e)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    (void)err_set(e, ERR_IO, "%s", errno ? strerror(errno) : "could not write all of the output");
    (void)err_what(e, "stdout");
    return err_hint(e, "check that the disk is not full and the pipe is not closed");
}
