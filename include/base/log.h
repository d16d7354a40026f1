/* SPDX-License-Identifier: MIT */
/* Warnings, and the steps that --verbose shows. Modules below command/ never print: they call these
 * functions, and command/ installs the sink that prints. There is deliberately no way to log a secret. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_SAY, LOG_WARNING, LOG_NOTE, LOG_STEP, LOG_TRACE };

/* Prints one message. `label` is the step ("config", "route", ...) for LOG_STEP and LOG_TRACE, and the hint
 * or NULL for LOG_WARNING. */
typedef void log_sink(enum log_level level, const char *label, const char *text);

void log_set_sink(log_sink *sink, enum log_level most);
bool log_wants(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_step(const char *label, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void log_trace(const char *label, const char *fmt, ...);
/* Prints what the user must read to continue, such as a URL to open; shown even with --quiet. */
__attribute__((format(printf, 1, 2))) void log_say(const char *fmt, ...);
/* Prints a note, after the user did something or a file was changed; not shown with --quiet. */
__attribute__((format(printf, 1, 2))) void log_note(const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void log_warn(const char *hint, const char *fmt, ...);

#endif
