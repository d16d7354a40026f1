/* SPDX-License-Identifier: MIT */
/* The RDS IAM authentication token, which is sent as the password to a server with IAM authentication. */
#ifndef AWS_RDS_TOKEN_H
#define AWS_RDS_TOKEN_H

#include <time.h>

#include <aws/keys.h>
#include <base/err.h>
#include <base/secret.h>

/* Seconds from `now` for which a token is valid. The keys that sign it may expire earlier. */
#define RDS_TOKEN_SECONDS 900

struct rds_token {
    const char *host; /* the endpoint's own host name, even if the connection goes to another address */
    unsigned port;
    const char *user, *region;
    time_t now;
};

/* Makes the text that `aws rds generate-db-auth-token` prints, without the newline. The caller frees *out. */
int rds_token_make(const struct rds_token *t, const struct aws_keys *keys, struct secret **out,
                   struct err *e);

#endif
