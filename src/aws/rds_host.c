/* SPDX-License-Identifier: MIT */
/*
 * Host names of RDS and Aurora endpoints: ID[.HASH].REGION.rds.SUFFIX, or ID[.HASH].rds.REGION.SUFFIX in some
 * partitions. The beginning of the hash gives the kind. The labels are matched from the right, and the suffix
 * must be one of AWS's, because the region found here is signed into the token, and the kind determines which
 * CA certificates are trusted.
 */
#include <aws/rds_host.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <aws/partition.h>
#include <base/mem.h>
#include <base/text.h>

#define NAME_MOST 255
#define LABELS_MOST 16

/* Suffixes that AWS's database drivers accept in addition to those of the partitions. */
static const char *const more_suffixes[] = {"amazonaws.au", "amazonaws.uk"};

/* Copies a host name in lower case and without a final dot. Returns false if it is empty or too long. */
static bool normalise(const char *host, char out[NAME_MOST + 1])
{
    size_t n = strlen(host);

    if (n && host[n - 1] == '.')
        n--;
    if (!n || n > NAME_MOST)
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)host[i]);
    out[n] = '\0';
    return true;
}

/* Removes ".SUFFIX" from the end of a name. Returns false if the name does not end with it. */
static bool cut_suffix(char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    if (n <= m + 1 || name[n - m - 1] != '.' || strcmp(name + n - m, suffix) != 0)
        return false;
    name[n - m - 1] = '\0';
    return true;
}

static bool cut_any_suffix(char *name)
{
    for (const struct aws_partition *p = aws_partitions; p->name; p++) {
        if (cut_suffix(name, p->suffix))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(more_suffixes); i++) {
        if (cut_suffix(name, more_suffixes[i]))
            return true;
    }
    return false;
}

/* Splits a name at its dots. Returns the number of labels; 0 if there are too many, or if one is empty. */
static size_t split(char *name, char *label[LABELS_MOST])
{
    size_t n = 0;

    for (char *s = name; s; n++) {
        char *dot = strchr(s, '.');
        if (n == LABELS_MOST || !*s || dot == s)
            return 0;
        if (dot)
            *dot++ = '\0';
        label[n] = s;
        s = dot;
    }
    return n;
}

static bool is_rds(const char *label)
{
    return text_equal(label, "rds") || text_equal(label, "rds-fips");
}

static enum rds_kind kind_of_hash(const char *hash)
{
    static const struct {
        const char *prefix;
        enum rds_kind kind;
    } kinds[] = {{"cluster-ro-", RDS_CLUSTER_RO}, {"cluster-custom-", RDS_CLUSTER_CUSTOM},
                 {"cluster-", RDS_CLUSTER},       {"proxy-", RDS_PROXY},
                 {"shardgrp-", RDS_SHARD_GROUP},  {"global-", RDS_GLOBAL_WRITER}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (text_starts(hash, kinds[i].prefix))
            return kinds[i].kind;
    }
    return RDS_INSTANCE;
}

/* Returns the kind, from the labels before the region and `rds`: ID, ID.HASH or NAME.endpoint.proxy-HASH. */
static enum rds_kind kind_of(char *const *label, size_t n)
{
    if (n == 3 && text_equal(label[1], "endpoint") && kind_of_hash(label[2]) == RDS_PROXY)
        return RDS_PROXY_ENDPOINT;
    if (n == 2)
        return is_rds(label[1]) ? RDS_OTHER : kind_of_hash(label[1]);
    return n == 1 && !is_rds(label[0]) ? RDS_INSTANCE : RDS_OTHER;
}

static struct rds_host result(enum rds_kind kind, const char *region)
{
    struct rds_host found = {.kind = kind};

    if (kind != RDS_OTHER && kind != RDS_GLOBAL_WRITER)
        (void)snprintf(found.region, sizeof found.region, "%s", region);
    return found;
}

struct rds_host rds_host_parse(const char *host)
{
    char name[NAME_MOST + 1], *label[LABELS_MOST];

    if (!normalise(host, name))
        return result(RDS_OTHER, "");
    bool dsql = cut_suffix(name, "on.aws");
    if (!dsql && !cut_any_suffix(name))
        return result(RDS_OTHER, "");
    size_t n = split(name, label);
    if (n < 3)
        return result(RDS_OTHER, "");
    const char *region = is_rds(label[n - 1]) ? label[n - 2] : label[n - 1];
    if (dsql)
        return result(text_starts(label[n - 2], "dsql") && aws_region_is_known(region) ? RDS_DSQL : RDS_OTHER,
                      region);
    if (!is_rds(label[n - 1]) && !is_rds(label[n - 2]))
        return result(RDS_OTHER, "");
    enum rds_kind kind = kind_of(label, n - 2);
    if (text_equal(region, "global"))
        return result(kind == RDS_GLOBAL_WRITER ? kind : RDS_OTHER, "");
    return result(aws_region_is_known(region) ? kind : RDS_OTHER, region);
}

bool rds_host_uses_rds_ca(const char *host)
{
    switch (rds_host_parse(host).kind) {
    case RDS_INSTANCE:
    case RDS_CLUSTER:
    case RDS_CLUSTER_RO:
    case RDS_CLUSTER_CUSTOM:
    case RDS_SHARD_GROUP:
    case RDS_GLOBAL_WRITER:
        return true;
    case RDS_OTHER:
    case RDS_PROXY:
    case RDS_PROXY_ENDPOINT:
    case RDS_DSQL:
        break;
    }
    return false;
}
