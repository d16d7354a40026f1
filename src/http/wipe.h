/* Memory for libcurl, jansson and expat that is wiped when it is freed: what goes through them are secrets.
 */
#ifndef HTTP_WIPE_H
#define HTTP_WIPE_H

#include <stddef.h>

/* As the functions of stdlib.h, NULL where there is no memory. */
void *wipe_malloc(size_t size);
void *wipe_calloc(size_t count, size_t size);
void *wipe_realloc(void *old, size_t size);
char *wipe_strdup(const char *s);
void wipe_free(void *p);

/* What functions that have returned left on the stack, below the caller's frame. */
void wipe_stack(void);

#endif
