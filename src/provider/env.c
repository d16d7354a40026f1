/* SPDX-License-Identifier: MIT */
/* auth = env: the value of an environment variable. */
#include <provider/provider.h>

#include <stdlib.h>
#include <string.h>

static int env_check(const struct profile *p, struct err *e)
{
    if (profile_str(p, KEY_auth_env))
        return 0;
    (void)err_set(e, ERR_CONFIG, "auth = env needs auth_env");
    return err_hint(e, "auth_env = NAME_OF_THE_VARIABLE");
}

static int env_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    const char *name = profile_str(p, KEY_auth_env), *value = secure_getenv(name);

    (void)deadline;
    if (!value) {
        (void)err_set(e, ERR_CONFIG, "the variable %s is not set", name);
        return err_hint_sh(e, "export %s, or change auth_env", name);
    }
    if (strlen(value) > SECRET_MAX) {
        (void)err_set(e, ERR_DATA, "the variable %s has over %d bytes", name, SECRET_MAX);
        return err_hint(e, "check what sets %s", name);
    }
    out->password = secret_from(value, strlen(value));
    return 0;
}

static void env_describe(const struct profile *p, struct buf *out)
{
    buf_printf(out, "the variable %s", profile_str(p, KEY_auth_env));
}

const struct provider provider_env = {
    .name = "env", .once = true, .check = env_check, .get = env_get, .describe = env_describe};
