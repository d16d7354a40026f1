/* SPDX-License-Identifier: MIT */
/* An allocator that stores the size in front of each block, so that free() can wipe it. OpenSSL keeps its own
 * allocator, because it wipes its keys itself. */
#include "wipe.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Far more stack than libcurl, OpenSSL and the parsers use. */
#define STACK_USED (256 * 1024)

union header {
    size_t size;
    max_align_t align;
};

static union header *header_of(void *p)
{
    return p ? (union header *)p - 1 : NULL;
}

void *wipe_malloc(size_t size)
{
    union header *h = size > SIZE_MAX / 2 ? NULL : malloc(sizeof *h + size);

    if (!h)
        return NULL;
    h->size = size;
    return h + 1;
}

void *wipe_calloc(size_t count, size_t size)
{
    size_t all;
    void *p = __builtin_mul_overflow(count, size, &all) ? NULL : wipe_malloc(all);

    return p ? memset(p, 0, all) : NULL;
}

void *wipe_realloc(void *old, size_t size)
{
    const union header *h = header_of(old);
    void *p = wipe_malloc(size);

    if (p && h)
        memcpy(p, old, h->size < size ? h->size : size);
    if (p)
        wipe_free(old);
    return p;
}

char *wipe_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = wipe_malloc(n);

    return p ? memcpy(p, s, n) : NULL;
}

void wipe_free(void *p)
{
    union header *h = header_of(p);

    if (!h)
        return;
    explicit_bzero(p, h->size);
    free(h);
}

__attribute__((noinline)) void wipe_stack(void)
{
    char below[STACK_USED];

    explicit_bzero(below, sizeof below);
}
