/* JSON on stdout. */
#ifndef COMMAND_JSON_H
#define COMMAND_JSON_H

#include <model/json.h>

/* One object on one line. NULL (jansson had no memory) ends the program as out of memory does. */
void print_json_line(const json_t *root);

#endif
