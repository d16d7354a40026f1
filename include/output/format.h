/* Formats for parameters: one file each, one row in model/kinds.def. `broker exec` uses those for the
 * environment. */
#ifndef OUTPUT_FORMAT_H
#define OUTPUT_FORMAT_H

#include <base/err.h>
#include <base/proc.h>
#include <output/connection.h>

struct format {
    const char *name;
    bool both_ends; /* it contains the keeper's socket even beside host and port */
    /* Writes environment variables. ERR_DATA, naming the format, for a value that it cannot carry. */
    int (*environment)(const struct connection *c, struct env_changes *env, struct err *e);
};

const struct format *format_find(const char *name); /* NULL: no such format */
extern const struct format *const format_table[];

#endif
