/* JSON on stdout: one object, one line. */
#include "json.h"

#include <stdio.h>

#include <base/err.h>

void print_json_line(const json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    if (!text)
        err_out_of_memory();
    (void)puts(text);
    json_string_free(text);
}
