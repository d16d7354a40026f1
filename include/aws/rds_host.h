/* SPDX-License-Identifier: MIT */
/* What a database server's host name says: the kind of endpoint and its region. Pure. */
#ifndef AWS_RDS_HOST_H
#define AWS_RDS_HOST_H

#include <stdbool.h>

enum rds_kind {
    RDS_OTHER, /* not a name of RDS */
    RDS_INSTANCE,
    RDS_CLUSTER,
    RDS_CLUSTER_RO,
    RDS_CLUSTER_CUSTOM,
    RDS_PROXY,
    RDS_PROXY_ENDPOINT,
    RDS_SHARD_GROUP,
    RDS_GLOBAL_WRITER, /* its region is not in its name */
    RDS_DSQL,          /* Aurora DSQL: PostgreSQL, with tokens of another kind */
};

struct rds_host {
    enum rds_kind kind;
    char region[64]; /* in lower case; empty: the name contains none */
};

/* Any letter case; one final dot is accepted. Matched from the right, so that a foreign name cannot pass for
 * one. */
struct rds_host rds_host_parse(const char *host);

/* Whether the server's certificate is signed by RDS's own CA certificates; RDS Proxy's is by a public CA. */
bool rds_host_uses_rds_ca(const char *host);

#endif
