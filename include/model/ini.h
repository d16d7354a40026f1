/* SPDX-License-Identifier: MIT */
/*
 * One INI lexer, two policies: ours (strict, SPEC section 2) and AWS's shared-config grammar
 * (docs/aws-files.md), which differ in comments, continuation lines, quotes and what an error is. Events come
 * in file order.
 */
#ifndef MODEL_INI_H
#define MODEL_INI_H

#include <stddef.h>

#include <base/err.h>

enum ini_policy { INI_BROKER, INI_AWS };

/* Why a section of AWS's files must not be used. */
struct ini_fault {
    const char *why, *hint;
};

struct ini_event {
    const char *section; /* text inside the brackets; ours: trimmed */
    const char *key;     /* NULL: the event is the section's header or a fault. AWS: in lower case */
    const char *value;   /* unquoted; AWS: continuation lines joined by LF */
    const struct ini_fault *fault; /* AWS: NULL, or the error in a line of the current section */
    unsigned line;                 /* of the header, of the key, of the fault */
    size_t start, end;             /* byte range of the event's lines in the original text, for editors */
};

/* Return -1 with *e set to stop. */
typedef int ini_handler(void *context, const struct ini_event *event, struct err *e);

#define INI_LINE_MAX 8192

/*
 * Lexes the `n` bytes at `text`, which a NUL must follow. The text is cut into strings in place, so the
 * strings of the events live as long as the text; an editor lexes a copy. `name` is for messages.
 *
 * ERR_CONFIG with e->what = "NAME:LINE" and a hint if the policy forbids something.
 *
 * INI_BROKER forbids: control characters but TAB, invalid UTF-8, a line over INI_LINE_MAX bytes, a key before
 * any section, a line without '=', an empty key, an unquoted '#' or ';' after a space in a value, a bad quote
 * or escape, text after a header or a closing quote. CRLF and a byte order mark are accepted.
 *
 * INI_AWS forbids NUL bytes and anything before the first section. Any other error is a fault of its section
 * (docs/aws-files.md), and an event.
 *
 * Neither policy knows which sections and keys exist, and neither rejects duplicates.
 */
int ini_parse(const char *name, char *text, size_t n, enum ini_policy policy, ini_handler *handle,
              void *context, struct err *e);

/*
 * The same for a large file of ours of which a run uses only a part. ini_index() reports only the headers,
 * with the byte range of the header's line (`line`, key and value are not set), and cuts nothing else. It
 * checks the bytes of the whole text, the headers, and the text before the first header. The body of a
 * section, from its header's `end` to the next one's `start`, is lexed by ini_parse_body() in a copy when it
 * is used; there, `first` is the number of the body's first line, which ini_line() finds.
 */
int ini_index(const char *name, char *text, size_t n, ini_handler *handle, void *context, struct err *e);
int ini_parse_body(const char *name, const char *section, unsigned first, char *text, size_t n,
                   ini_handler *handle, void *context, struct err *e);

/* The number of the line that contains byte `at` of the text. */
unsigned ini_line(const char *text, size_t at);

#endif
