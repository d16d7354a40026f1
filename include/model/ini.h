/* SPDX-License-Identifier: MIT */
/*
 * An INI lexer with two policies: ours (strict, docs/config.md) and that of AWS's config files
 * (docs/aws-files.md). They differ in comments, continuation lines, quotes and errors. Events come in file
 * order.
 */
#ifndef MODEL_INI_H
#define MODEL_INI_H

#include <stddef.h>

#include <base/err.h>

enum ini_policy { INI_BROKER, INI_AWS };

/* Why a section of AWS's files cannot be used. */
struct ini_fault {
    const char *why, *hint;
};

struct ini_event {
    const char *section; /* the text inside the brackets; in our files: trimmed */
    const char *key;     /* NULL: the event is a section's header or a fault. In AWS's files: in lower case */
    const char *value;   /* without quotes; in AWS's files: continuation lines are joined by LF */
    const struct ini_fault *fault; /* in AWS's files: an error in a line of the current section, or NULL */
    unsigned line;                 /* the line of the header, key or fault */
    size_t start, end; /* the byte range of the event's lines in the original text, for editing it */
};

/* Called for each event. Returns 0 to continue, or -1 with *e set to stop. */
typedef int ini_handler(void *context, const struct ini_event *event, struct err *e);

#define INI_LINE_MAX 8192

/*
 * Lexes the `n` bytes at `text`, which must be followed by a NUL. The text is cut into strings in place, so
 * the strings of the events are valid as long as the text; to edit a text, lex a copy. `name` is for
 * messages.
 *
 * ERR_CONFIG with e->what = "NAME:LINE" and a hint if the policy forbids something.
 *
 * INI_BROKER forbids: control characters except TAB, invalid UTF-8, a line over INI_LINE_MAX bytes, a key
 * before any section, a line without '=', an empty key, an unquoted '#' or ';' after a space in a value, an
 * invalid quote or escape, text after a header or a closing quote. CRLF and a byte order mark are accepted.
 *
 * INI_AWS forbids NUL bytes and anything before the first section. Any other error is an event, a fault of
 * its section (docs/aws-files.md).
 *
 * Neither policy knows which sections and keys exist, and neither rejects duplicates.
 */
int ini_parse(const char *name, char *text, size_t n, enum ini_policy policy, ini_handler *handle,
              void *context, struct err *e);

/*
 * Lexing in two steps, for our own large files of which a run uses only a part. ini_index() reports only the
 * headers, with the byte range of the header's line (`line`, key and value are not set), and cuts nothing
 * else. It checks the bytes of the whole text, the headers, and the text before the first header. The body of
 * a section, from its header's `end` to the next one's `start`, is lexed later by ini_parse_body() in a copy;
 * `first` is the number of the body's first line, which ini_line() returns.
 */
int ini_index(const char *name, char *text, size_t n, ini_handler *handle, void *context, struct err *e);
int ini_parse_body(const char *name, const char *section, unsigned first, char *text, size_t n,
                   ini_handler *handle, void *context, struct err *e);

/* Returns the number of the line that contains byte `at` of the text. */
unsigned ini_line(const char *text, size_t at);

#endif
