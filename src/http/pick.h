/* SPDX-License-Identifier: MIT */
/* Extracts the wanted parts of an answer. */
#ifndef HTTP_PICK_H
#define HTTP_PICK_H

#include <jansson.h>

#include "exchange.h"

/* Puts each wanted field that exists into the answer record. */
void pick_all(const struct record *request, const struct exchange *x, struct record *answer);

/* A body as JSON, by allocators that wipe; null if it is malformed, which has no parts. The caller frees it
 * with json_decref(). */
json_t *pick_parse(const struct buf *body);

/* One part of a body; false if it does not exist. */
bool pick_json(const json_t *root, const char *path, struct buf *out);
/* A list of texts, one a line. */
bool pick_json_list(const json_t *root, const char *path, struct buf *out);
bool pick_xml(const struct buf *body, const char *path, struct buf *out);
bool pick_header(const struct buf *headers, const char *name, struct buf *out);

#endif
