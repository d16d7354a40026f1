/* SPDX-License-Identifier: MIT */
/* Allocation that ends the program cleanly instead of failing, and macros that declare variables which are
 * cleaned up at the end of the scope. Never use these for secrets: see base/secret.h and base/buf.h. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t count, size_t size); /* zeroed memory; an overflow of count * size ends the program */
void *mem_grow(void *old, size_t count, size_t size);
char *mem_strdup(const char *s); /* returns NULL for NULL */
char *mem_strndup(const char *s, size_t n);
__attribute__((format(printf, 1, 2))) char *mem_printf(const char *fmt, ...);

/* Overwrites a string with zeros and frees it; does nothing for NULL. */
void mem_wipe_free(char *s);

void mem_free_cleanup(void *pointer_to_pointer);
void fd_close_cleanup(int *fd);
void fd_pair_cleanup(int (*fds)[2]);

/* Declares a pointer that is freed at the end of the scope. */
#define AUTO_FREE(type, name) __attribute__((cleanup(mem_free_cleanup))) type name = NULL
/* Declares a descriptor that is closed at the end of the scope. */
#define AUTO_FD(name) __attribute__((cleanup(fd_close_cleanup))) int name = -1
/* Declares a pipe; both ends are closed at the end of the scope. */
#define AUTO_PIPE(name) __attribute__((cleanup(fd_pair_cleanup))) int name[2] = {-1, -1}

/* Returns the descriptor and sets *fd to -1, so that the scope no longer closes it. */
int fd_take(int *fd);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
