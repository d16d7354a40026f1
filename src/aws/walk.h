/* Walking a part of a chain. */
#ifndef AWS_WALK_H
#define AWS_WALK_H

#include <aws/source.h>

/* From step `first` to the end, starting with the keys of the one before, which are taken over; for 0 there
 * are none. */
int chain_walk(const struct aws_context *c, size_t first, struct aws_keys *start, int64_t deadline,
               struct aws_keys *out, struct err *e);

/* One step of it. */
int chain_step(const struct aws_context *c, size_t i, const struct aws_keys *before, int64_t deadline,
               struct aws_keys *out, struct err *e);
/* Of all steps: what they have used, as far as they have said so, else what they would use now. 1: of one it
 * cannot be told. `place`: see aws/source.h. */
int chain_proof(const struct aws_context *c, char **place, int64_t deadline, char out[33]);
/*
 * The identity that a cache of what comes out of the chain is kept under: base, roles, session names,
 * external ids, serials, and what decides where these lead to: the files, HOME, the endpoints, a program, in
 * a hash (32 hex digits). No secret is in it.
 */
void chain_identity(const struct aws_context *c, char out[33]);

#endif
