/* SPDX-License-Identifier: MIT */
/* Describes a chain in messages. */
#include <aws/chain.h>

#include <string.h>

#include <base/text.h>

const char *aws_role_name(const char *arn)
{
    const char *slash = strrchr(arn, '/'), *colon = strrchr(arn, ':');

    return slash ? slash + 1 : colon ? colon + 1 : arn;
}

static bool is_role_step(const struct aws_step *s)
{
    return s->kind == AWS_KIND_assume_role;
}

void aws_chain_describe(const struct aws_chain *c, struct buf *out)
{
    const struct aws_step *base = &c->step[0];
    bool of_profile = base->profile || c->count > 1;

    if (of_profile)
        buf_printf(out, "aws profile %s", c->profile);
    else
        buf_puts(out, base->kind == AWS_KIND_static_keys || base->kind == AWS_KIND_web_identity
                          ? "aws environment"
                          : "aws");
    buf_printf(out, ", %s", aws_kind_words(base->kind));
    if (of_profile && !base->profile && base->kind == AWS_KIND_static_keys)
        buf_puts(out, " of the environment");
    else if (base->profile && !text_equal(base->profile, c->profile))
        buf_printf(out, " of %s", base->profile);
    for (size_t i = 0; i < c->count; i++) {
        if (is_role_step(&c->step[i]) || c->step[i].kind == AWS_KIND_web_identity)
            buf_printf(out, ", role %s", aws_role_name(c->step[i].role_arn));
    }
}
