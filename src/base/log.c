/* SPDX-License-Identifier: MIT */
/* Formats a line and passes it to the sink. Without a sink (in tests and helpers) nothing is printed. */
#include <base/log.h>

#include <stdarg.h>
#include <stddef.h>

#include <base/buf.h>

static log_sink *sink;
static enum log_level most;

void log_set_sink(log_sink *new_sink, enum log_level new_most)
{
    sink = new_sink;
    most = new_most;
}

bool log_wants(enum log_level level)
{
    return sink && level <= most;
}

__attribute__((format(printf, 3, 0))) static void say(enum log_level level, const char *label,
                                                      const char *fmt, va_list ap)
{
    AUTO_BUF(text, 16384);

    buf_vprintf(&text, fmt, ap);
    sink(level, label, buf_str(&text));
}

#define SAY(level, label)                                                                                    \
    do {                                                                                                     \
        va_list ap;                                                                                          \
        if (!log_wants(level))                                                                               \
            return;                                                                                          \
        va_start(ap, fmt);                                                                                   \
        say(level, label, fmt, ap);                                                                          \
        va_end(ap);                                                                                          \
    } while (0)

void log_step(const char *label, const char *fmt, ...)
{
    SAY(LOG_STEP, label);
}

void log_trace(const char *label, const char *fmt, ...)
{
    SAY(LOG_TRACE, label);
}

void log_say(const char *fmt, ...)
{
    SAY(LOG_SAY, NULL);
}

void log_note(const char *fmt, ...)
{
    SAY(LOG_NOTE, NULL);
}

void log_warn(const char *hint, const char *fmt, ...)
{
    SAY(LOG_WARNING, hint);
}
