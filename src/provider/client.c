/* SPDX-License-Identifier: MIT */
/* auth = client: the client gets neither user nor password, and reads them from its own option files. */
#include <provider/provider.h>

static int client_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    (void)p;
    (void)deadline;
    (void)out;
    (void)e;
    return 0;
}

static void client_describe(const struct profile *p, struct buf *out)
{
    (void)p;
    buf_puts(out, "the client's own option files");
}

const struct provider provider_client = {.name = "client",
                                         .any_user = true,
                                         .by_client = true,
                                         .has_no_token = true,
                                         .get = client_get,
                                         .describe = client_describe};
