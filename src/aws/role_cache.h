/* What the AWS CLI has kept of roles: read, never written. */
#ifndef AWS_ROLE_CACHE_H
#define AWS_ROLE_CACHE_H

#include <aws/source.h>

/*
 * The keys of the last role with a second factor that the CLI has kept and that are good for a while, and the
 * number of the step behind it; 0: there are none. Whatever is wrong with a file of the CLI, it is not there.
 */
size_t role_cache_find(const struct aws_context *c, int64_t deadline, struct aws_keys *out);

#endif
