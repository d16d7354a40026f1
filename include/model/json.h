/* SPDX-License-Identifier: MIT */
/* jansson with allocators that wipe what they free, because a document may hold a password. */
#ifndef MODEL_JSON_H
#define MODEL_JSON_H

#include <jansson.h>

#include <base/buf.h>

/* Call before the first use of jansson; may be called again. */
void json_use_wiping_memory(void);

/* Frees what json_dumps() returned. */
void json_string_free(char *s);

/* Appends a document as JSON in ASCII without blanks. NULL, a document that could not be made, is out of
 * memory. */
void json_put(struct buf *out, const json_t *root);

void json_free_cleanup(json_t **j);
#define AUTO_JSON(name) __attribute__((cleanup(json_free_cleanup))) json_t *name = NULL

#endif
