/* SPDX-License-Identifier: MIT */
/* What a step of the chain was proved with, by its hash: keys that are kept are good only for the same. */
#include <aws/source.h>

#include <base/text.h>

void aws_proof_used(const struct aws_context *c, const struct aws_step *step, const void *bytes, size_t n)
{
    if (c->used)
        text_hash(bytes, n, c->used[step - c->chain.step].hash);
}
