/*
 * One INI lexer, two policies: ours (strict, SPEC section 2) and AWS's shared-config grammar (docs/aws-files.md), which
 * differ in what a comment, a continuation, a quote and a bad line are. Events come in file order; strings live until
 * the callback returns.
 */
#ifndef MODEL_INI_H
#define MODEL_INI_H

#include <stddef.h>

#include <base/err.h>

enum ini_policy { INI_BROKER, INI_AWS };

struct ini_event {
    const char *section;   /* text inside the brackets, trimmed; inner blanks as written */
    const char *key;       /* NULL: this event is the section's header */
    const char *value;     /* unquoted; AWS: continuation lines joined by LF */
    unsigned line;         /* of the header or of the key */
    size_t start, end;     /* byte range of the event's lines in the text, for editors */
};

/* Return -1 with *e set to stop. */
typedef int ini_handler(void *context, const struct ini_event *event, struct err *e);

/*
 * Lexes `n` bytes. ERR_CONFIG with e->what = "NAME:LINE" for what the policy forbids; `name` is for messages only.
 * INI_BROKER forbids: NUL bytes, invalid UTF-8, a line over 8 KiB, a property before any section, no `=`, an empty key,
 * a continuation line, an unquoted ` #` or ` ;` in a value, a bad quote, and text after a header or a closing quote.
 */
int ini_parse(const char *name, const char *text, size_t n, enum ini_policy policy, ini_handler *handle, void *context,
              struct err *e);

#endif
