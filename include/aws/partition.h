/* SPDX-License-Identifier: MIT */
/* Partitions: the separate clouds of AWS, each with its own regions and DNS suffixes (botocore's
 * partitions.json). */
#ifndef AWS_PARTITION_H
#define AWS_PARTITION_H

#include <stdbool.h>

struct aws_partition {
    const char *name, *suffix, *dual_stack_suffix, *default_region;
    const char *prefixes; /* of its regions, separated by spaces: PREFIX-WORD-NUMBER */
};

/* The first whose pattern matches, else `aws`. */
const struct aws_partition *aws_partition_of(const char *region);
/* Whether the text looks like a region of any partition, as us-gov-west-1 does. */
bool aws_region_is_known(const char *region);
/* Whether it can be part of a host name and of a signature's scope: letters, digits and `-`, but no `-` at
 * the ends. */
bool aws_region_is_valid(const char *region);

/* Every partition; the list ends with a NULL name. */
extern const struct aws_partition aws_partitions[];

#endif
