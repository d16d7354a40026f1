/* SPDX-License-Identifier: MIT */
/* Records the hash of the credential that a step authenticated with. Cached keys are used only if it has not
 * changed. */
#include <aws/source.h>

#include <base/text.h>

void aws_proof_used(const struct aws_context *c, const struct aws_step *step, const void *bytes, size_t n)
{
    if (c->used)
        text_hash(bytes, n, c->used[step - c->chain.step].hash);
}
