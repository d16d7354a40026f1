/* SPDX-License-Identifier: MIT */
/* Recognises the host name of an RDS database server: the kind of endpoint and its region. */
#ifndef AWS_RDS_HOST_H
#define AWS_RDS_HOST_H

#include <stdbool.h>

enum rds_kind {
    RDS_OTHER, /* not an RDS host name */
    RDS_INSTANCE,
    RDS_CLUSTER,
    RDS_CLUSTER_RO,
    RDS_CLUSTER_CUSTOM,
    RDS_PROXY,
    RDS_PROXY_ENDPOINT,
    RDS_SHARD_GROUP,
    RDS_GLOBAL_WRITER, /* the name does not contain the region */
    RDS_DSQL,          /* Aurora DSQL: PostgreSQL, with a different kind of token */
};

struct rds_host {
    enum rds_kind kind;
    char region[64]; /* the region in lower case; empty if the name contains none */
};

/* Classifies a host name, in any letter case and with or without a final dot. The suffix must match, so that
 * a host of another domain is not taken for one of RDS. */
struct rds_host rds_host_parse(const char *host);

/* Returns whether the server's certificate is issued by one of RDS's own CA certificates; RDS Proxy uses a
 * public CA. */
bool rds_host_uses_rds_ca(const char *host);

#endif
