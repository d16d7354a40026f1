/* AWS's variables in the environment, as a value, so that what follows from them is pure (chain.h,
 * endpoint.h).
 */
#ifndef AWS_ENV_H
#define AWS_ENV_H

/* NULL: not set, empty or blank. Borrowed from the environment; some are secrets, so none is ever copied. */
struct aws_env {
#define AWS_ENV(field, variable) const char *field;
#include <aws/env.def>
};

void aws_env_read(struct aws_env *out);

#endif
