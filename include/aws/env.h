/* SPDX-License-Identifier: MIT */
/* AWS's environment variables in a struct, so that chain.h and endpoint.h need not read the environment. */
#ifndef AWS_ENV_H
#define AWS_ENV_H

/* A field is NULL if the variable is not set, empty or only spaces. The strings belong to the environment;
 * they are not copied because some are secrets. */
struct aws_env {
#define AWS_ENV(field, variable) const char *field;
#include <aws/env.def>
};

void aws_env_read(struct aws_env *out);

#endif
