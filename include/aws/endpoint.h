/* Where a service of AWS is asked: the partition's own host name, or the address that the user configured.
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
 * region's own, FIPS and dual-stack as asked for. ERR_CONFIG: no region, one that cannot be in a host name,
 * FIPS or dual-stack together with an address of the user's own.
 */
int aws_endpoint_find(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      enum aws_service service, const char *region, struct aws_endpoint *out, struct err *e);

/* Appends the address that the user has set for a service; nothing where it is AWS's own. */
void aws_endpoint_configured(const struct aws_env *env, const struct aws_files *files, const char *profile,
                             enum aws_service service, struct buf *out);

#endif
