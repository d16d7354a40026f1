/* Formats and fields by the names that people type. */
#include "formats.h"

#include <string.h>

#include <base/mem.h>
#include <model/kinds.h>

int find_format(const char *name, const struct format **out, struct err *e)
{
    const char *names[64] = {NULL};

    *out = format_find(name);
    if (*out)
        return 0;
    for (size_t n = 0; kind_formats[n].name && n + 1 < ARRAY_LEN(names); n++)
        names[n] = kind_formats[n].name;
    const char *meant = text_closest(name, names);
    (void)err_set(e, ERR_USAGE, "no such format '%.*s'", (int)strcspn(name, "="), name);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help formats");
}
