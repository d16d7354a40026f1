/* SPDX-License-Identifier: MIT */
/* URLs of usql and xo/dburl, which make a data source name for Go's driver of them. */
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
