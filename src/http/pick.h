/* SPDX-License-Identifier: MIT */
/* Extracts the requested parts of a response. */
#ifndef HTTP_PICK_H
#define HTTP_PICK_H

#include <jansson.h>

#include "exchange.h"

/* Adds each requested part that exists to the answer record. */
void pick_all(const struct record *request, const struct exchange *x, struct record *answer);

/* Parses a body as JSON, with an allocator that wipes memory. Returns a JSON null if it is malformed. The
 * caller frees the result with json_decref(). */
json_t *pick_parse(const struct buf *body);

/* Appends one part of a body. Returns false if it does not exist. */
bool pick_json(const json_t *root, const char *path, struct buf *out);
/* Appends a list of texts, one per line. */
bool pick_json_list(const json_t *root, const char *path, struct buf *out);
bool pick_xml(const struct buf *body, const char *path, struct buf *out);
bool pick_header(const struct buf *headers, const char *name, struct buf *out);

#endif
