/* SPDX-License-Identifier: MIT */
/* Writes TablePlus's URL, in the form in which TablePlus exports it. The known TLS modes are 0, 1 and 2. */
#include "write.h"

#include <stddef.h>

static int tableplus_line(const struct connection *c, const struct format_how *how, struct buf *out,
                          struct err *e)
{
    static const char *const modes[] = {"1", "0", "2", NULL, NULL};
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql", c, how);
    query_put(&q, "name", how->profile);
    query_put(&q, "tLSMode", modes[c->tls]);
    return 0;
}

const struct format format_tableplus = {.name = "tableplus",
                                        .levels = LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(REQUIRED),
                                        .line = tableplus_line};
