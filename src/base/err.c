/* SPDX-License-Identifier: MIT */
/* The error value. Every text is cut to the size of its array and nothing is allocated, so that reporting an
 * error cannot fail. */
#include <base/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 3, 0))) static void set(struct err *e, enum err_code code, const char *fmt,
                                                      va_list ap)
{
    err_clear(e);
    e->code = code;
    (void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(e, code, fmt, ap);
    va_end(ap);
    return -1;
}

void err_number(struct err *e, unsigned number)
{
    char whole[sizeof e->msg + 16];

    e->number = number;
    (void)snprintf(whole, sizeof whole, "%u %s", number, e->msg);
    memcpy(e->msg, whole, sizeof e->msg);
    e->msg[sizeof e->msg - 1] = '\0';
}

void err_drop_number(struct err *e)
{
    const char *rest = strchr(e->msg, ' ');

    if (e->number && rest)
        memmove(e->msg, rest + 1, strlen(rest + 1) + 1);
    e->number = 0;
}

int err_set_numbered(struct err *e, enum err_code code, unsigned number, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(e, code, fmt, ap);
    va_end(ap);
    err_number(e, number);
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    char prefix[sizeof e->msg], whole[2 * sizeof e->msg + 2];
    unsigned number = e->number;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    err_drop_number(e);
    (void)snprintf(whole, sizeof whole, "%s: %s", prefix, e->msg);
    memcpy(e->msg, whole, sizeof e->msg);
    e->msg[sizeof e->msg - 1] = '\0';
    if (number)
        err_number(e, number);
    return -1;
}

int err_what(struct err *e, const char *fmt, ...)
{
    va_list ap;

    if (e->what[0])
        return -1;
    va_start(ap, fmt);
    (void)vsnprintf(e->what, sizeof e->what, fmt, ap);
    va_end(ap);
    return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(e->hint, sizeof e->hint, fmt, ap);
    va_end(ap);
    return -1;
}

int err_detail(struct err *e, const char *fmt, ...)
{
    size_t used = strlen(e->detail);
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(e->detail + used, sizeof e->detail - used, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n + 1 >= sizeof e->detail - used) {
        e->detail[used] = '\0';
        return -1;
    }
    e->detail[used + (size_t)n] = '\n';
    e->detail[used + (size_t)n + 1] = '\0';
    return -1;
}

int err_detail_lines(struct err *e, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n)
            (void)err_detail(e, "%.*s", (int)n, text);
        text += n + (text[n] == '\n');
    }
    return -1;
}

void err_copy(struct err *to, const struct err *from)
{
    memcpy(to, from, sizeof *to);
}

void err_clear(struct err *e)
{
    e->code = ERR_NONE;
    e->number = 0;
    e->what[0] = e->msg[0] = e->detail[0] = e->hint[0] = '\0';
}

void err_out_of_memory(void)
{
    static const char text[] = "broker: out of memory\nhint: free some memory, then try again\n";

    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    exit(ERR_TRY_LATER);
}
