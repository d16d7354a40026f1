/* SPDX-License-Identifier: MIT */
/* Chooses a region, considering the partitions of regions and ARNs. */
#include <aws/region.h>

#include <stdbool.h>
#include <string.h>

#include <aws/keys.h>
#include <aws/partition.h>
#include <base/text.h>

#include "chain_profile.h"

static int check_variable(const char *name, const char *value, struct err *e)
{
    if (!value || aws_region_is_valid(value))
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s: '%.64s' is not an AWS region", name, value);
    return err_hint(e, "%s=eu-west-1, or unset it", name);
}

int aws_regions_load(const struct aws_env *env, const struct aws_files *files, const char *profile,
                     struct aws_regions *out, struct err *e)
{
    const struct scope s = {files, profile};
    const struct aws_property *own = scope_property(&s, "region");

    if (check_variable("AWS_REGION", env->region, e) < 0 ||
        check_variable("AWS_DEFAULT_REGION", env->default_region, e) < 0 || scope_word(&s, own, e) < 0)
        return -1;
    if (own && *own->value && !aws_region_is_valid(own->value))
        return scope_refuse(&s, own, "region = eu-west-1", e, "'%.64s' is not an AWS region", own->value);
    out->of[AWS_REGION_ENV] = env->region;
    out->of[AWS_REGION_DEFAULT_ENV] = env->default_region;
    out->of[AWS_REGION_PROFILE] = own && *own->value ? own->value : NULL;
    return 0;
}

/* Returns the partition in arn:PARTITION:...; NULL if the text is not an ARN or the partition is unknown. */
static const struct aws_partition *partition_of_arn(const char *arn)
{
    if (!arn || !text_starts(arn, "arn:"))
        return NULL;
    arn += strlen("arn:");
    for (const struct aws_partition *p = aws_partitions; p->name; p++) {
        size_t n = strlen(p->name);
        if (strncmp(arn, p->name, n) == 0 && arn[n] == ':')
            return p;
    }
    return NULL;
}

static const char *first_of(const struct aws_regions *r, const struct aws_partition *p)
{
    for (size_t i = 0; i < AWS_REGIONS; i++) {
        if (r->of[i] && (!p || aws_partition_of(r->of[i]) == p))
            return r->of[i];
    }
    return NULL;
}

const char *aws_region_first(const struct aws_regions *r, const char *arn)
{
    return first_of(r, partition_of_arn(arn));
}

int aws_region_for(const struct aws_regions *r, const char *arn, const char **out, struct err *e)
{
    const struct aws_partition *p = partition_of_arn(arn);
    const char *database = r->of[AWS_REGION_DATABASE];

    if (database && aws_region_is_known(database)) {
        const struct aws_partition *its = aws_partition_of(database);
        if (p && p != its) {
            (void)err_set(e, ERR_CONFIG, "%s is of partition %s, and the database's region %s of %s", arn,
                          p->name, database, its->name);
            return err_hint(
                e, "set aws_profile to one of the database's partition, or region to the database's own");
        }
        p = its;
    }
    *out = first_of(r, p);
    if (!*out && p)
        *out = p->default_region;
    return 0;
}

const char *aws_chain_arn(const struct aws_chain *c)
{
    const struct aws_step *last = c->count ? &c->step[c->count - 1] : NULL;

    return !last ? NULL : last->role_arn ? last->role_arn : last->login_session;
}
