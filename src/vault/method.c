/* SPDX-License-Identifier: MIT */
/* Code that the login methods share. */
#include "method.h"

int vault_method_wants(const char *value, enum key key, const struct vault *v, struct err *e)
{
    if (value)
        return 0;
    (void)err_set(e, ERR_CONFIG, "vault_auth = %s needs %s", v->method->name, key_infos[key].name);
    return err_hint(e, "set %s", key_infos[key].name);
}
