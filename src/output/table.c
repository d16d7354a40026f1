/* SPDX-License-Identifier: MIT */
/* The formats of this build, from model/kinds.def. */
#include <output/format.h>

#include <stddef.h>

#define FORMAT(id, name, help) extern const struct format format_##id;
#include <model/kinds.def>

const struct format *const format_table[] = {
#define FORMAT(id, name, help) &format_##id,
#include <model/kinds.def>
    NULL,
};

const struct format *format_find(const char *name)
{
    for (size_t i = 0; format_table[i]; i++) {
        if (text_equal(format_table[i]->name, name))
            return format_table[i];
    }
    return NULL;
}
