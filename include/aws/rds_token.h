/* The RDS IAM authentication token: what a server with IAM authentication takes for a password. */
#ifndef AWS_RDS_TOKEN_H
#define AWS_RDS_TOKEN_H

#include <time.h>

#include <aws/keys.h>
#include <base/err.h>
#include <base/secret.h>

/* Seconds from `now` for which a token opens connections; its keys may end before. */
#define RDS_TOKEN_SECONDS 900

struct rds_token {
    const char *host; /* the endpoint's own name, never an address that is dialled instead */
    unsigned port;
    const char *user, *region;
    time_t now;
};

/* The text that `aws rds generate-db-auth-token` prints, without the newline. The caller frees *out. */
int rds_token_make(const struct rds_token *t, const struct aws_keys *keys, struct secret **out,
                   struct err *e);

#endif
