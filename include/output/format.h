/* How parameters leave: one file a format, one row in model/kinds.def. `broker exec` uses the environment
 * ones. */
#ifndef OUTPUT_FORMAT_H
#define OUTPUT_FORMAT_H

#include <base/err.h>
#include <base/proc.h>
#include <output/connection.h>

struct format {
    const char *name;
    bool both_ends; /* it names the keeper's socket also where that is another way than host and port */
    /* As environment variables. ERR_DATA, naming the format, for a value that it cannot carry. */
    int (*environment)(const struct connection *c, struct env_changes *env, struct err *e);
};

const struct format *format_find(const char *name); /* NULL: no such format */
extern const struct format *const format_table[];

#endif
