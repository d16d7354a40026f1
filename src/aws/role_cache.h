/* SPDX-License-Identifier: MIT */
/* The AWS CLI's cache of assumed roles, which is only read. */
#ifndef AWS_ROLE_CACHE_H
#define AWS_ROLE_CACHE_H

#include <aws/source.h>

/*
 * Finds the last role of the chain that needs MFA and has cached keys with enough time left. Returns the
 * index of the step after it, and 0 if there is none. Invalid files are ignored.
 */
size_t role_cache_find(const struct aws_context *c, int64_t deadline, struct aws_keys *out);

#endif
