/* SPDX-License-Identifier: MIT */
/*
 * White space as Unicode defines it, plus ASCII's separators: what Python's str.strip() removes, and
 * therefore tools written in Python. People paste it from web pages without seeing it.
 */
#ifndef BASE_SPACE_H
#define BASE_SPACE_H

#include <stddef.h>

/* The number of white-space bytes at the start of the `n` bytes at `s`. */
size_t space_lead(const char *s, size_t n);
/* The length without the white space at the end. */
size_t space_trim(const char *s, size_t n);

#endif
