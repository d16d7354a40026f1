/*
 * One INI lexer, two policies: ours (strict, SPEC section 2) and AWS's shared-config grammar
 * (docs/aws-files.md), which differ in what a comment, a continuation, a quote and a bad line are. Events
 * come in file order.
 */
#ifndef MODEL_INI_H
#define MODEL_INI_H

#include <stddef.h>

#include <base/err.h>

enum ini_policy { INI_BROKER, INI_AWS };

/* What makes a section of AWS's files one that must not be used. */
struct ini_fault {
    const char *why, *hint;
};

struct ini_event {
    const char *section; /* text inside the brackets; ours: trimmed */
    const char *key;     /* NULL: this event is the section's header, or a fault. AWS: in lower case */
    const char *value;   /* unquoted; AWS: continuation lines joined by LF */
    const struct ini_fault *fault; /* AWS: NULL, or what is wrong with a line of the current section */
    unsigned line;                 /* of the header, of the key, of the fault */
    size_t start, end;             /* byte range of the event's lines in the text as it was, for editors */
};

/* Return -1 with *e set to stop. */
typedef int ini_handler(void *context, const struct ini_event *event, struct err *e);

#define INI_LINE_MAX 8192

/*
 * Lexes the `n` bytes at `text`, behind which a NUL must stand. The text is cut into strings in place, so
 * nothing is copied, and the strings of the events live as long as the text does; an editor lexes a copy.
 * `name` is for messages.
 *
 * ERR_CONFIG with e->what = "NAME:LINE" and a hint for what the policy forbids.
 *
 * INI_BROKER forbids: control characters but TAB, invalid UTF-8, a line over INI_LINE_MAX bytes, a key before
 * any section, a line without '=', an empty key, an unquoted
 * '#' or ';' behind a blank in a value, a bad quote or escape, text after a header or a closing quote. CRLF
 * and a byte order mark are fine.
 *
 * INI_AWS forbids NUL bytes and anything before the first section. What else is wrong is a fault of the
 * section that it is in (docs/aws-files.md), and an event.
 *
 * Neither knows which sections and keys exist, nor minds duplicates.
 */
int ini_parse(const char *name, char *text, size_t n, enum ini_policy policy, ini_handler *handle,
              void *context, struct err *e);

/*
 * The same for a large file of ours of which a run uses little. ini_index() hands over the headers alone,
 * with the byte range of the header's line (`line`, key and value are not set), and cuts nothing else; it
 * checks the bytes of the whole text, the headers, and what stands before the first of them. The body of a
 * section, from its header's `end` to the next one's `start`, is lexed by ini_parse_body() in a copy when it
 * is used; there, `first` is the number of the body's first line, which ini_line() finds.
 */
int ini_index(const char *name, char *text, size_t n, ini_handler *handle, void *context, struct err *e);
int ini_parse_body(const char *name, const char *section, unsigned first, char *text, size_t n,
                   ini_handler *handle, void *context, struct err *e);

/* The number of the line in which byte `at` of the text is. */
unsigned ini_line(const char *text, size_t at);

#endif
