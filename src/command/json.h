/* SPDX-License-Identifier: MIT */
/* JSON on stdout. */
#ifndef COMMAND_JSON_H
#define COMMAND_JSON_H

#include <model/json.h>

/* A string of any bytes: invalid UTF-8 (a word of argv, a truncated text) is replaced, as on a terminal; NULL
 * gives null. */
json_t *json_text(const char *s);

/* Prints one object on one line. NULL (jansson had no memory) ends the program. */
void print_json_line(const json_t *root);

#endif
