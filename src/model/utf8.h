/* SPDX-License-Identifier: MIT */
/* Checks that text is valid UTF-8. */
#ifndef MODEL_UTF8_H
#define MODEL_UTF8_H

#include <stddef.h>

/* Returns the length of the well-formed sequence at the start of `n` > 0 bytes (RFC 3629); 0 if it is
 * malformed. */
size_t utf8_len(const char *s, size_t n);

#endif
