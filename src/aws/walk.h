/* Walking a part of a chain. */
#ifndef AWS_WALK_H
#define AWS_WALK_H

#include <aws/source.h>

/* From step `first` to the end, starting with the keys of the one before, which are taken over; for 0 there
 * are none. */
int chain_walk(const struct aws_context *c, size_t first, struct aws_keys *start, int64_t deadline,
               struct aws_keys *out, struct err *e);

#endif
