/* SPDX-License-Identifier: MIT */
/* jansson with allocators that wipe memory when they free it, because a document may hold a password. */
#ifndef MODEL_JSON_H
#define MODEL_JSON_H

#include <jansson.h>

#include <base/buf.h>

/* Installs the allocators. Call it before the first use of jansson; further calls do nothing. */
void json_use_wiping_memory(void);

/* Frees a string that json_dumps() returned. */
void json_string_free(char *s);

/* Appends a document as JSON in ASCII, without spaces. NULL means that jansson had no memory, and ends the
 * program. */
void json_put(struct buf *out, const json_t *root);

void json_free_cleanup(json_t **j);
#define AUTO_JSON(name) __attribute__((cleanup(json_free_cleanup))) json_t *name = NULL

#endif
