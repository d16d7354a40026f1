/* SPDX-License-Identifier: MIT */
/* Walks a part of a chain. */
#ifndef AWS_WALK_H
#define AWS_WALK_H

#include <aws/source.h>

/* Walks from step `first` to the end, starting with the keys of the step before, of which it takes ownership;
 * for step 0 there are none. */
int chain_walk(const struct aws_context *c, size_t first, struct aws_keys *start, int64_t deadline,
               struct aws_keys *out, struct err *e);

/* Walks one step. */
int chain_step(const struct aws_context *c, size_t i, const struct aws_keys *before, int64_t deadline,
               struct aws_keys *out, struct err *e);
/* The proof of all steps: what they recorded, else what they would use now. 1: unknown for one step. `place`:
 * see aws/source.h. */
int chain_proof(const struct aws_context *c, char **place, int64_t deadline, char out[33]);
/*
 * The key of a cache of the chain's result: a hash (32 hex digits) of base, roles, session names, external
 * ids, serials, and what these depend on: the files, HOME, the endpoints, a program. It contains no secret.
 */
void chain_identity(const struct aws_context *c, char out[33]);

#endif
