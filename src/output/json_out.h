/* SPDX-License-Identifier: MIT */
/* What the JSON formats share. */
#ifndef OUTPUT_JSON_OUT_H
#define OUTPUT_JSON_OUT_H

#include <base/buf.h>
#include <model/json.h>

/* Returns a JSON string, or null for NULL. Invalid UTF-8, possible only in text that no format checks, is
 * replaced. */
json_t *json_out_text(const char *s);
/* Writes the object on one line, in ASCII, and frees it. NULL means that memory is exhausted and ends the
 * program. Returns 0. */
int json_out(json_t *root, struct buf *out);

#endif
