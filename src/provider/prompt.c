/* SPDX-License-Identifier: MIT */
/* auth = prompt: asks for the password each time and never stores it. */
#include <provider/provider.h>

#include <base/mem.h>
#include <base/tty.h>
#include <model/identity.h>

#include "ask.h"

static int prompt_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    (void)deadline;
    if (ask_password(p, out, e) == 0)
        return 0;
    return e->code == ERR_LOGIN && !e->hint[0] ? err_hint(e, "%s", tty_way_out()) : -1;
}

static void prompt_describe(const struct profile *p, struct buf *out)
{
    AUTO_FREE(char *, label);

    label = identity_label(p);
    buf_printf(out, "password of %s, asked for", label);
}

const struct provider provider_prompt = {
    .name = "prompt", .once = true, .get = prompt_get, .describe = prompt_describe};
