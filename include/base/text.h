/* SPDX-License-Identifier: MIT */
/* Text functions that several modules share: splitting arguments as sh does, percent-encoding, "did you
 * mean", sanitising text from outside. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>

bool text_equal(const char *a, const char *b);
bool text_equal_nocase(const char *a, const char *b);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);

/* A NULL-terminated list of malloced strings. */
struct words {
    char **word;
    size_t count;
};
#define AUTO_WORDS(name) __attribute__((cleanup(words_release))) struct words name = {0}
void words_add(struct words *w, const char *s);
void words_take(struct words *w, char *s); /* takes ownership of `s` */
/* Splits `s` at each separator and appends the non-empty pieces. */
void words_split(struct words *w, const char *s, char separator);
bool words_have(const struct words *w, const char *s);
void words_release(struct words *w);

/* Splits a command into arguments as sh does (spaces, '...', "...", backslash), without any expansion.
 * ERR_CONFIG if a quote is not closed, if it ends with a backslash, or if there is no argument. */
int text_split_words(const char *s, struct words *out, struct err *e);

/* Appends `s` with each {NAME} replaced by its value, in one pass; other braces are kept. `names` and
 * `values` end with NULL. */
void text_fill(struct buf *out, const char *s, const char *const *names, const char *const *values);

/* Percent-encodes as in RFC 3986 section 2.1, strictly: every byte outside A-Z a-z 0-9 - . _ ~ is encoded,
 * with upper-case hex digits. */
void text_percent_encode(struct buf *out, const char *s, size_t n);
/* Percent-decodes once. Returns false for an invalid escape or an encoded NUL. */
bool text_percent_decode(struct buf *out, const char *s, size_t n);

/* Parses a decimal number without a sign or spaces. Returns false if it is malformed or greater than `max`.
 * */
bool text_number(const char *s, unsigned long max, unsigned long *out);

/* Appends HOST, or HOST:PORT if port >= 0; an IPv6 address is put in brackets. */
void text_address(struct buf *out, const char *host, long port);

/* Returns the most similar of the NULL-terminated candidates, or NULL if none is similar enough. */
const char *text_closest(const char *typed, const char *const *candidates);

/* Returns true if the bytes are well-formed UTF-8 (RFC 3629). */
bool text_is_utf8(const char *s, size_t n);
/* Returns true if the text is UTF-8 and text_sanitise() would change nothing. The joiners that some scripts
 * and emoji need are allowed. */
bool text_is_plain(const char *s);
bool text_is_plain_line(const char *s); /* and it has neither a line end nor a tab */
/* Appends text from outside with control, escape and bidi characters replaced, so that it is safe to print on
 * a terminal. */
void text_sanitise(struct buf *out, const char *s, size_t n);
/* Like text_sanitise(), but stops at the first line end, because further lines could look like messages of
 * this program. */
void text_sanitise_line(struct buf *out, const char *s, size_t n);

/* Returns how many columns a UTF-8 text without line ends takes on a terminal. */
size_t text_columns(const char *s);
/* Returns the length in bytes of the longest beginning of `s` that takes at most `most` columns, and its
 * columns in *columns. */
size_t text_fit(const char *s, size_t most, size_t *columns);

/* Appends `s`, quoted for sh if needed. */
void text_quote_sh(struct buf *out, const char *s);

/* Writes a hash (BLAKE2b-128, 32 hex digits) of the bytes, used in the names of files and sockets and for
 * identities. */
void text_hash(const void *bytes, size_t n, char out[33]);

#endif
