/* SPDX-License-Identifier: MIT */
/* Writes URLs for usql and xo/dburl, which convert them to a data source name of Go's driver. */
#include "write.h"

static int usql_line(const struct connection *c, const struct format_how *how, struct buf *out, struct err *e)
{
    struct query q = QUERY(out);

    (void)e;
    url_begin(out, "mysql", c, how);
    go_tls_put(&q, c);
    return 0;
}

const struct format format_usql = {.name = "usql",
                                   .levels = LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(REQUIRED) |
                                             LEVEL(VERIFY_IDENTITY),
                                   .carries = CARRIES_BYTES,
                                   .not_in_user = ":",
                                   .not_in_database = "/?%",
                                   .line = usql_line};
