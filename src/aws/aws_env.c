/* SPDX-License-Identifier: MIT */
/* Reads AWS's environment variables. */
#include <aws/env.h>

#include <stdlib.h>
#include <string.h>

static const char *read_one(const char *name)
{
    const char *value = secure_getenv(name);

    return value && value[strspn(value, " \t\r\n")] ? value : NULL;
}

void aws_env_read(struct aws_env *out)
{
#define AWS_ENV(field, variable) out->field = read_one(variable);
#include <aws/env.def>
}
