/* Partitions: the separate clouds of AWS, each with regions and DNS suffixes of its own (botocore's
 * partitions.json). */
#ifndef AWS_PARTITION_H
#define AWS_PARTITION_H

#include <stdbool.h>

struct aws_partition {
    const char *name, *suffix, *dual_stack_suffix, *default_region;
    const char *prefixes; /* of its regions, separated by blanks: PREFIX-WORD-NUMBER */
};

/* The first whose pattern matches, else `aws`. */
const struct aws_partition *aws_partition_of(const char *region);
/* Whether the text looks like a region of any partition, as us-gov-west-1 does. */
bool aws_region_is_known(const char *region);
/* Whether it can stand in a host name and in a signature's scope: letters, digits and `-`, none at the ends.
 */
bool aws_region_is_valid(const char *region);

/* Every partition, ended by a NULL name. */
extern const struct aws_partition aws_partitions[];

#endif
