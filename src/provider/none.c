/* SPDX-License-Identifier: MIT */
/* auth = none: the empty password. It is passed explicitly, so that the client does not use a password from
 * its option files. */
#include <provider/provider.h>

static int none_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    (void)p;
    (void)deadline;
    (void)e;
    out->password = secret_new(0);
    return 0;
}

static void none_describe(const struct profile *p, struct buf *out)
{
    (void)p;
    buf_puts(out, "empty password");
}

const struct provider provider_none = {
    .name = "none", .any_user = true, .once = true, .get = none_get, .describe = none_describe};
