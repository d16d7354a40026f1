/* SPDX-License-Identifier: MIT */
/* An allocator for libcurl, jansson and expat that wipes memory on free, because secrets pass through
 * them. */
#ifndef HTTP_WIPE_H
#define HTTP_WIPE_H

#include <stddef.h>

/* Like the functions in stdlib.h and string.h; NULL if out of memory. */
void *wipe_malloc(size_t size);
void *wipe_calloc(size_t count, size_t size);
void *wipe_realloc(void *old, size_t size);
char *wipe_strdup(const char *s);
void wipe_free(void *p);

/* Wipes the stack below the caller's frame, where functions that have returned left data. */
void wipe_stack(void);

#endif
