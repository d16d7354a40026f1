/* SPDX-License-Identifier: MIT */
/*
 * The region in which a service is asked. A region of one partition (a commercial AWS_REGION in a shell) is
 * ignored for another partition (a role of GovCloud).
 */
#ifndef AWS_REGION_H
#define AWS_REGION_H

#include <aws/chain.h>
#include <base/err.h>

/* In order; NULL: not set. The first is our own key `region`, the last is the database's region. */
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
 * Reads the regions of the environment and of the chosen profile. ERR_CONFIG, with the place, for one that is
 * not a valid region.
 */
int aws_regions_load(const struct aws_env *env, const struct aws_files *files, const char *profile,
                     struct aws_regions *out, struct err *e);

/* The first one in the same partition as `arn` (any, if `arn` is NULL or its partition is unknown); NULL:
 * none. */
const char *aws_region_first(const struct aws_regions *r, const char *arn);

/*
 * The region in which a service is asked about `arn`: the first one of its partition and the database's, else
 * the partition's default region. ERR_CONFIG if these two are in different partitions. *out is NULL if no
 * region is known.
 */
int aws_region_for(const struct aws_regions *r, const char *arn, const char **out, struct err *e);

/* The ARN that gives the partition of a chain: of its last role, or of its `login_session`; NULL: none. */
const char *aws_chain_arn(const struct aws_chain *c);

#endif
