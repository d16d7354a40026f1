/* SPDX-License-Identifier: MIT */
/* What the formats that are JSON share. */
#ifndef OUTPUT_JSON_OUT_H
#define OUTPUT_JSON_OUT_H

#include <base/buf.h>
#include <model/json.h>

/* A string, or null. What is not UTF-8 (only what no format checks) is made so. */
json_t *json_out_text(const char *s);
/* On one line, ASCII only. Takes the object over; NULL ends the program as out of memory does. Returns 0. */
int json_out(json_t *root, struct buf *out);

#endif
