/* All printing: errors, notes, verbose lines, tables. Nothing else in the program writes to stdout or stderr.
 */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/mem.h>

/* Every text goes through here: a message may quote what a server or a file said. */
static void print_clean(const char *s)
{
    AUTO_BUF(clean, 65536);

    text_sanitise(&clean, s, strlen(s));
    (void)fputs(buf_str(&clean), stderr);
}

void print_error(const struct err *e)
{
    (void)fflush(stdout);
    (void)fputs("broker: ", stderr);
    if (e->what[0]) {
        print_clean(e->what);
        (void)fputs(": ", stderr);
    }
    print_clean(e->msg[0] ? e->msg : "failed");
    (void)fputc('\n', stderr);
    for (const char *line = e->detail; *line; line += strcspn(line, "\n") + 1) {
        AUTO_FREE(char *, text);
        text = mem_printf("  %.*s\n", (int)strcspn(line, "\n"), line);
        print_clean(text);
    }
    if (e->hint[0]) {
        (void)fputs("hint: ", stderr);
        print_clean(e->hint);
        (void)fputc('\n', stderr);
    }
}

static void print_log(enum log_level level, const char *label, const char *text)
{
    AUTO_BUF(line, 65536);

    if (level == LOG_WARNING) {
        buf_printf(&line, "broker: warning: %s\n", text);
        if (label)
            buf_printf(&line, "hint: %s\n", label);
    } else if (level == LOG_NOTE) {
        buf_printf(&line, "%s\n", text);
    } else {
        AUTO_BUF(time, 64);
        buf_putc(&time, '+');
        clock_format_duration(&time, clock_since_start());
        buf_printf(&line, "%-5s  %-10s  %s\n", buf_str(&time), label, text);
    }
    print_clean(buf_str(&line));
}

void print_log_to_stderr(enum log_level most)
{
    log_set_sink(print_log, most);
}

void table_add(struct table *t, const char *cell)
{
    t->cell = mem_grow(t->cell, t->count + 1, sizeof *t->cell);
    t->cell[t->count++] = mem_strdup(cell && *cell ? cell : "-");
}

void table_print(const struct table *t, FILE *to)
{
    for (size_t row = 0; row < t->count; row += t->columns) {
        for (size_t col = 0; col < t->columns; col++) {
            size_t width = 0;
            for (size_t i = col; i < t->count; i += t->columns)
                width = strlen(t->cell[i]) > width ? strlen(t->cell[i]) : width;
            if (col + 1 < t->columns)
                (void)fprintf(to, "%-*s  ", (int)width, t->cell[row + col]);
            else
                (void)fprintf(to, "%s\n", t->cell[row + col]);
        }
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
    (void)err_set(e, ERR_IO, "%s", errno ? strerror(errno) : "not everything could be written");
    (void)err_what(e, "stdout");
    return err_hint(e, "check where the output goes: is the pipe closed, the disk full?");
}
