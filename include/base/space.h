/* SPDX-License-Identifier: MIT */
/* White space as Unicode defines it, plus ASCII's separator characters. Python's str.strip(), and so tools
 * written in Python, remove the same set. Users paste such characters from web pages without seeing them. */
#ifndef BASE_SPACE_H
#define BASE_SPACE_H

#include <stddef.h>

/* Returns the number of white-space bytes at the start of the `n` bytes at `s`. */
size_t space_lead(const char *s, size_t n);
/* Returns the length of the `n` bytes at `s` without the white space at the end. */
size_t space_trim(const char *s, size_t n);

#endif
