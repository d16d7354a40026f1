/* JSON on stdout. */
#ifndef COMMAND_JSON_H
#define COMMAND_JSON_H

#include <model/json.h>

/* A string of any bytes: what is not UTF-8 (a word of argv, a text that was cut) is replaced, as on a
 * terminal; NULL gives null. */
json_t *json_text(const char *s);

/* One object on one line. NULL (jansson had no memory) ends the program as out of memory does. */
void print_json_line(const json_t *root);

#endif
