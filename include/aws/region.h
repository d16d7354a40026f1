/* SPDX-License-Identifier: MIT */
/*
 * The region in which a service is called. A region of one partition (for example AWS_REGION=eu-west-1) is
 * ignored for a role of another partition (for example GovCloud).
 */
#ifndef AWS_REGION_H
#define AWS_REGION_H

#include <aws/chain.h>
#include <base/err.h>

/* Where a region may be set, in order of precedence. The first is the key `region` of broker's own config,
 * the last is the database's region. */
enum aws_region_of {
    AWS_REGION_WANTED,
    AWS_REGION_ENV,
    AWS_REGION_DEFAULT_ENV,
    AWS_REGION_PROFILE,
    AWS_REGION_DATABASE
};
#define AWS_REGIONS 5

struct aws_regions {
    const char *of[AWS_REGIONS];
};

/*
 * Reads the regions of the environment and of the chosen profile; one that is not set is NULL. Fails with
 * ERR_CONFIG, naming the place, if one is not a valid region.
 */
int aws_regions_load(const struct aws_env *env, const struct aws_files *files, const char *profile,
                     struct aws_regions *out, struct err *e);

/* Returns the first region in the same partition as `arn` (the first of all if `arn` is NULL or its partition
 * is unknown); NULL if there is none. */
const char *aws_region_first(const struct aws_regions *r, const char *arn);

/*
 * Sets *out to the region in which to call a service about `arn`: the first region in the partition of `arn`,
 * or else that partition's default region; NULL if no region is known. Fails with ERR_CONFIG if `arn` and the
 * database are in different partitions.
 */
int aws_region_for(const struct aws_regions *r, const char *arn, const char **out, struct err *e);

/* Returns the ARN that determines the partition of a chain: that of its last role, or its `login_session`;
 * NULL if there is neither. */
const char *aws_chain_arn(const struct aws_chain *c);

#endif
