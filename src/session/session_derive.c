/* SPDX-License-Identifier: MIT */
/* Derives a profile's remaining keys, and checks what a URL may not change. */
#include <session/session.h>

#include "url_rule.h"

static int unlowered(const struct config *c, const char *url, const struct override *overrides, size_t count,
                     struct profile *p, struct err *e)
{
    if (config_resolve_unlowered(c, url, overrides, count, p, e) < 0)
        return -1;
    return plan_derive(p, e);
}

int session_derive(const struct config *c, const char *url, const struct override *overrides, size_t count,
                   struct profile *p, struct err *e)
{
    AUTO_PROFILE(other);

    if (plan_derive(p, e) < 0)
        return -1;
    if (!url)
        return 0;
    return unlowered(c, url, overrides, count, &other, e) < 0 ? -1 : url_rule_levels(p, &other, e);
}

bool session_url_lowers(const struct config *c, const char *url, const struct override *overrides,
                        size_t count, const struct profile *p, struct err *e)
{
    AUTO_PROFILE(other);
    struct err ignored = ERR_INIT;

    return unlowered(c, url, overrides, count, &other, &ignored) == 0 && url_rule_lowers(p, &other, e);
}
