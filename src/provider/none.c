/* SPDX-License-Identifier: MIT */
/* The empty password, given explicitly so that a password in an option file is not used. */
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
