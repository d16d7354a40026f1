/* SPDX-License-Identifier: MIT */
/* The AWS CLI's cache of roles: read, never written. */
#ifndef AWS_ROLE_CACHE_H
#define AWS_ROLE_CACHE_H

#include <aws/source.h>

/*
 * The keys of the last role with a second factor that the CLI has cached and that are valid for a while, and
 * the number of the step after it; 0: there are none. An invalid file of the CLI is ignored.
 */
size_t role_cache_find(const struct aws_context *c, int64_t deadline, struct aws_keys *out);

#endif
