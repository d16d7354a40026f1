/* SPDX-License-Identifier: MIT */
/* Text functions that several modules share: splitting words as sh does, percent-encoding, "did you mean",
 * sanitising text from outside. */
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
void words_take(struct words *w, char *s); /* takes ownership of the string */
/* Adds the pieces of a text that stand between separators; empty ones are left out. */
void words_split(struct words *w, const char *s, char separator);
bool words_have(const struct words *w, const char *s);
void words_release(struct words *w);

/*
 * Splits as sh does (spaces, '...', "...", backslash), expanding nothing. ERR_CONFIG for an open quote or a
 * trailing backslash, and for an empty list.
 */
int text_split_words(const char *s, struct words *out, struct err *e);

/* Replaces {NAME} for each name given, in one pass; other braces stay. `names` and `values` end with NULL. */
void text_fill(struct buf *out, const char *s, const char *const *names, const char *const *values);

/* RFC 3986 section 2.1, strict: every byte outside A-Z a-z 0-9 - . _ ~ is encoded, upper-case hex. */
void text_percent_encode(struct buf *out, const char *s, size_t n);
/* Decodes once. False for a bad escape or an encoded NUL. */
bool text_percent_decode(struct buf *out, const char *s, size_t n);

/* Parses a whole decimal number without sign or spaces, at most max. */
bool text_number(const char *s, unsigned long max, unsigned long *out);

/* HOST, or HOST:PORT if port >= 0; an IPv6 address in brackets. */
void text_address(struct buf *out, const char *host, long port);

/* The nearest of the NULL-terminated candidates, or NULL if none is near enough. */
const char *text_closest(const char *typed, const char *const *candidates);

/* Whether the bytes are well-formed UTF-8 (RFC 3629). */
bool text_is_utf8(const char *s, size_t n);
/* Whether the text is UTF-8 and has nothing that text_sanitise() replaces, except the joiners that scripts
 * and emoji need. */
bool text_is_plain(const char *s);
/* Appends text from outside with control, escape and bidi characters replaced, so that it is safe on a
 * terminal. */
void text_sanitise(struct buf *out, const char *s, size_t n);
/* The same, cut to one line: text after a line end could pass for our own messages. */
void text_sanitise_line(struct buf *out, const char *s, size_t n);

/* Quotes for sh where needed. */
void text_quote_sh(struct buf *out, const char *s);

/* A 32-hex-digit hash (BLAKE2b-128) of the bytes, for file and socket names and identities. */
void text_hash(const void *bytes, size_t n, char out[33]);

#endif
