/* SPDX-License-Identifier: MIT */
/* Loads a context and runs the steps of a chain through their sources. */
#include <aws/source.h>

#include <stddef.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/identity.h>

#include "walk.h"

#define PROOF_MOST (1 << 20)

#define SOURCE(id, words) extern const struct aws_source aws_source_##id;
#include <aws/kinds.def>

static const struct aws_source *const sources[] = {
#define SOURCE(id, words) [AWS_KIND_##id] = &aws_source_##id,
#include <aws/kinds.def>
};

void aws_context_release(struct aws_context *c)
{
    aws_chain_release(&c->chain);
    aws_files_release(&c->files);
}

int aws_context_load(struct aws_context *c, const char *profile, bool want_region, struct err *e)
{
    aws_env_read(&c->env);
    bool has_region = c->env.region || c->env.default_region;
    bool is_named = profile || c->env.profile || c->env.default_profile;
    if (is_named || !c->env.access_key_id || (want_region && !has_region)) {
        if (aws_files_load(&c->env, &c->files, e) < 0)
            return -1;
    }
    if (aws_chain_resolve(&c->env, &c->files, profile, &c->chain, e) < 0)
        return -1;
    return aws_regions_load(&c->env, &c->files, c->chain.profile, &c->regions, e);
}

/* Checks the keys that a step returned. Static keys in a file or the environment were checked before
 * (chain.c). */
static int check_keys(const struct aws_step *step, const struct aws_keys *keys, struct err *e)
{
    if (aws_keys_check(keys, aws_kind_words(step->kind), e) == 0)
        return 0;
    return step->profile ? err_prefix(e, "AWS profile '%s'", step->profile) : -1;
}

int chain_step(const struct aws_context *c, size_t i, const struct aws_keys *before, int64_t deadline,
               struct aws_keys *out, struct err *e)
{
    const struct aws_step *step = &c->chain.step[i];

    if (step->is_last_resort && aws_is_true(c->env.metadata_disabled))
        return aws_chain_no_keys(&c->chain, e);
    if (sources[step->kind]->get(c, step, i ? before : NULL, deadline, out, e) < 0)
        return -1;
    return check_keys(step, out, e);
}

int chain_walk(const struct aws_context *c, size_t first, struct aws_keys *start, int64_t deadline,
               struct aws_keys *out, struct err *e)
{
    struct aws_keys before __attribute__((cleanup(aws_keys_release))) = *start;

    *start = (struct aws_keys){0};
    if (first && aws_keys_check(&before, "the AWS CLI's ~/.aws/cli/cache", e) < 0)
        return -1;
    for (size_t i = first; i < c->chain.count; i++) {
        AUTO_AWS_KEYS(keys);
        if (chain_step(c, i, &before, deadline, &keys, e) < 0)
            return -1;
        aws_keys_release(&before);
        before = keys;
        keys = (struct aws_keys){0};
    }
    *out = before;
    before = (struct aws_keys){0};
    return 0;
}

/* Computes the proof of one step. If the step has recorded the proof that it used, that one is returned, but
 * proof() is called even then because it sets *place. */
static int step_proof(const struct aws_context *c, size_t i, char **place, int64_t deadline, char out[33])
{
    const struct aws_step *step = &c->chain.step[i];
    const struct aws_source *source = sources[step->kind];
    AUTO_BUF(text, PROOF_MOST);
    int got = source->proof ? source->proof(c, step, place, deadline, &text) : 0;

    text_hash(buf_str(&text), text.len, out);
    if (!c->used || !c->used[i].hash[0])
        return got == 0 && buf_ok(&text) ? 0 : 1;
    memcpy(out, c->used[i].hash, sizeof c->used[i].hash);
    return 0;
}

int chain_proof(const struct aws_context *c, char **place, int64_t deadline, char out[33])
{
    AUTO_BUF(text, PROOF_MOST);
    char hash[33];

    for (size_t i = 0; i < c->chain.count; i++) {
        if (step_proof(c, i, place, deadline, hash) != 0)
            return 1;
        identity_add_field(&text, hash);
    }
    text_hash(buf_str(&text), text.len, out);
    return buf_ok(&text) ? 0 : 1;
}
