/* SPDX-License-Identifier: MIT */
/* The endpoint of an AWS service: the partition's own host name, or a URL that the user configured. Makes no
 * requests. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include <aws/env.h>
#include <aws/files.h>
#include <base/buf.h>
#include <base/err.h>

enum aws_service { AWS_STS, AWS_SSO, AWS_SSO_OIDC, AWS_SIGNIN };

struct aws_endpoint {
    char url[512];       /* the base URL, without a trailing slash */
    char region[64];     /* the region used in the signature */
    const char *service; /* the service name used in the signature */
};

/*
 * Finds the endpoint. The first of these applies: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's
 * `services` section, its `endpoint_url` (all four are ignored with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or
 * `ignore_configured_endpoint_urls`), the region's own host with FIPS and dual-stack as configured. Fails
 * with ERR_CONFIG if there is no region, if the region cannot be part of a host name, or if FIPS or
 * dual-stack is combined with a configured URL.
 */
int aws_endpoint_find(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      enum aws_service service, const char *region, struct aws_endpoint *out, struct err *e);

/* Appends the URL that the user configured for a service; appends nothing if there is none. */
void aws_endpoint_configured(const struct aws_env *env, const struct aws_files *files, const char *profile,
                             enum aws_service service, struct buf *out);

#endif
