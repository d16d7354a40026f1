/*
 * In which region a service is asked. What is set for one cloud of AWS (a commercial AWS_REGION in a shell)
 * is no region of another (a role of GovCloud), and is passed over there.
 */
#ifndef AWS_REGION_H
#define AWS_REGION_H

#include <aws/chain.h>
#include <base/err.h>

/* In order; NULL: not set. The first is the user's own word to us (`region`), the last the database's. */
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
 * Reads those of the environment and of the chosen profile. ERR_CONFIG, with the place, for one that cannot
 * be a region at all.
 */
int aws_regions_load(const struct aws_env *env, const struct aws_files *files, const char *profile,
                     struct aws_regions *out, struct err *e);

/* The first that is of the same partition as `arn` (NULL, or no partition that is known: any); NULL: none. */
const char *aws_region_first(const struct aws_regions *r, const char *arn);

/*
 * Where a service is asked about `arn`: the first of the partition of that and of the database, else the
 * partition's own region. ERR_CONFIG where these two are of different partitions. *out is NULL where nothing
 * says anything.
 */
int aws_region_for(const struct aws_regions *r, const char *arn, const char **out, struct err *e);

/* The ARN that says in which partition a chain ends: of its last role, or of its `login_session`; NULL: none.
 */
const char *aws_chain_arn(const struct aws_chain *c);

#endif
