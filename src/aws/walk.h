/* SPDX-License-Identifier: MIT */
/* Runs the steps of a chain. */
#ifndef AWS_WALK_H
#define AWS_WALK_H

#include <aws/source.h>

/* Runs the steps from `first` to the end. `start` has the keys of the step before (none for step 0), and is
 * empty afterwards. */
int chain_walk(const struct aws_context *c, size_t first, struct aws_keys *start, int64_t deadline,
               struct aws_keys *out, struct err *e);

/* Runs step `i`. `before` has the keys of the previous step. */
int chain_step(const struct aws_context *c, size_t i, const struct aws_keys *before, int64_t deadline,
               struct aws_keys *out, struct err *e);
/* Makes a hash of the proofs of all steps: for each step the one it has recorded, or the one it would use
 * now. Returns 1 if a step's proof is unknown. `place` is described in aws/source.h. */
int chain_proof(const struct aws_context *c, char **place, int64_t deadline, char out[33]);
/*
 * Makes the key under which a chain's result is cached: a hash (32 hex digits) of the source, roles, session
 * names, external IDs and MFA serials, and of what these depend on: the files, HOME, the endpoints, a
 * program. It contains no secret.
 */
void chain_identity(const struct aws_context *c, char out[33]);

#endif
