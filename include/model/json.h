/* SPDX-License-Identifier: MIT */
/* Sets up jansson with allocators that wipe what they free, because a parsed document may hold a password. */
#ifndef MODEL_JSON_H
#define MODEL_JSON_H

#include <jansson.h>

/* Call before the first use of jansson; may be called again. */
void json_use_wiping_memory(void);

/* Frees what json_dumps() returned. */
void json_string_free(char *s);

void json_free_cleanup(json_t **j);
#define AUTO_JSON(name) __attribute__((cleanup(json_free_cleanup))) json_t *name = NULL

#endif
