/* SPDX-License-Identifier: MIT */
/* JSON on stdout. */
#ifndef COMMAND_JSON_H
#define COMMAND_JSON_H

#include <model/json.h>

/* Returns a JSON string of any bytes: invalid UTF-8 (in an argument or a truncated text) is replaced, as on a
 * terminal. Returns JSON null for NULL. */
json_t *json_text(const char *s);

/* Prints one object on one line. NULL means that jansson had no memory and ends the program. */
void print_json_line(const json_t *root);

#endif
