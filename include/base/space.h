/*
 * White space as Unicode has it, with the control characters of ASCII that separate: what Python's
 * str.strip() takes off, and so the tools that are written in it. People paste it from web pages without
 * seeing it.
 */
#ifndef BASE_SPACE_H
#define BASE_SPACE_H

#include <stddef.h>

/* How many of the `n` bytes at `s` are white space at their start. */
size_t space_lead(const char *s, size_t n);
/* How many are left without the white space at their end. */
size_t space_trim(const char *s, size_t n);

#endif
