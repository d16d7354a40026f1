/* SPDX-License-Identifier: MIT */
/* Allocation that ends the program if memory is exhausted. Returning an error would not help: all our buffers
 * are bounded, so another program has used up the memory. */
#include <base/mem.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/err.h>

void *mem_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p)
        err_out_of_memory();
    return p;
}

void *mem_grow(void *old, size_t count, size_t size)
{
    void *p = reallocarray(old, count ? count : 1, size ? size : 1);

    if (!p)
        err_out_of_memory();
    return p;
}

char *mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = mem_alloc(len + 1, 1);

    memcpy(copy, s, len);
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    char *s;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        err_out_of_memory();
    return s;
}

void mem_wipe_free(char *s)
{
    if (!s)
        return;
    explicit_bzero(s, strlen(s));
    free(s);
}

void mem_free_cleanup(void *pointer_to_pointer)
{
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof p);
    free(p);
}

void fd_close_cleanup(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void fd_pair_cleanup(int (*fds)[2])
{
    fd_close_cleanup(&(*fds)[0]);
    fd_close_cleanup(&(*fds)[1]);
}

int fd_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}
