/* SPDX-License-Identifier: MIT */
/* The endpoint of an AWS service: the partition's own host name, or an address that the user configured.
 * Pure. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include <aws/env.h>
#include <aws/files.h>
#include <base/buf.h>
#include <base/err.h>

enum aws_service { AWS_STS, AWS_SSO, AWS_SSO_OIDC, AWS_SIGNIN };

struct aws_endpoint {
    char url[512];       /* without a slash at the end */
    char region[64];     /* for the signature */
    const char *service; /* for the signature */
};

/*
 * Order: AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, the profile's `services` section, its `endpoint_url`
 * (none of these with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or `ignore_configured_endpoint_urls`), else the
 * region's own, with FIPS and dual-stack as configured. ERR_CONFIG: no region, a region that cannot be part
 * of a host name, or FIPS or dual-stack together with a configured address.
 */
int aws_endpoint_find(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      enum aws_service service, const char *region, struct aws_endpoint *out, struct err *e);

/* Appends the address that the user has set for a service; nothing if it is AWS's own. */
void aws_endpoint_configured(const struct aws_env *env, const struct aws_files *files, const char *profile,
                             enum aws_service service, struct buf *out);

#endif
