/* SPDX-License-Identifier: MIT */
/* AWS's environment variables as a value, so that chain.h and endpoint.h can be pure. */
#ifndef AWS_ENV_H
#define AWS_ENV_H

/* NULL: not set, empty or only spaces. Borrowed from the environment; some are secrets, so none is copied. */
struct aws_env {
#define AWS_ENV(field, variable) const char *field;
#include <aws/env.def>
};

void aws_env_read(struct aws_env *out);

#endif
