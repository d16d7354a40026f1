/* SPDX-License-Identifier: MIT */
/* Partitions: the separate clouds of AWS, each with its own regions and DNS suffixes (see partitions.json in
 * botocore). */
#ifndef AWS_PARTITION_H
#define AWS_PARTITION_H

#include <stdbool.h>

struct aws_partition {
    const char *name, *suffix, *dual_stack_suffix, *default_region;
    const char *prefixes; /* prefixes of its regions, separated by spaces (PREFIX-WORD-NUMBER) */
};

/* Returns the first partition whose pattern matches the region; if there is none, `aws`. */
const struct aws_partition *aws_partition_of(const char *region);
/* Returns whether the text has the form of a region of any partition, for example us-gov-west-1. */
bool aws_region_is_known(const char *region);
/* Returns whether a region can be part of a host name and of a signature's scope: at most 63 letters, digits
 * and `-`, not only digits, and no `-` at either end. */
bool aws_region_is_valid(const char *region);

/* All partitions; the array ends with an entry whose name is NULL. */
extern const struct aws_partition aws_partitions[];

#endif
