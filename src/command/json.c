/* SPDX-License-Identifier: MIT */
/* JSON on stdout: one object, one line. */
#include "json.h"

#include <stdio.h>
#include <string.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/text.h>

json_t *json_text(const char *s)
{
    AUTO_BUF(clean, 65536);

    if (!s)
        return json_null();
    text_sanitise(&clean, s, strlen(s));
    return json_string(buf_str(&clean));
}

void print_json_line(const json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    if (!text)
        err_out_of_memory();
    (void)puts(text);
    json_string_free(text);
}
