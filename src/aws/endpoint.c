/* SPDX-License-Identifier: MIT */
/* Endpoints, by the rules that all AWS SDKs share, for the four services that a chain may call. */
#include <aws/endpoint.h>

#include <stdio.h>
#include <string.h>

#include <aws/keys.h>
#include <aws/partition.h>
#include <base/mem.h>
#include <base/text.h>

static const struct endpoint_service {
    const char *host, *signing_name, *nested;
} services[] = {
    [AWS_STS] = {"sts", "sts", "sts"},
    [AWS_SSO] = {"portal.sso", "awsssoportal", "sso"},
    [AWS_SSO_OIDC] = {"oidc", "sso-oauth", "sso_oidc"},
    [AWS_SIGNIN] = {"signin", "signin", "signin"},
};

struct finder {
    const struct aws_env *env;
    const struct aws_files *files;
    const char *profile;
    enum aws_service service;
};

static const char *property(const struct finder *f, const char *key)
{
    const struct aws_property *p = aws_files_property(f->files, AWS_PROFILE, f->profile, key);

    return p && *p->value ? p->value : NULL;
}

/* The environment overrides the profile. */
static bool wants(const struct finder *f, const char *variable, const char *key)
{
    return aws_is_true(variable ? variable : property(f, key));
}

static const char *url_of_environment(const struct finder *f)
{
    const char *const own[] = {[AWS_STS] = f->env->endpoint_url_sts,
                               [AWS_SSO] = f->env->endpoint_url_sso,
                               [AWS_SSO_OIDC] = f->env->endpoint_url_sso_oidc,
                               [AWS_SIGNIN] = f->env->endpoint_url_signin};

    return own[f->service] ? own[f->service] : f->env->endpoint_url;
}

/* Finds `endpoint_url` below `sts =` (or another service) in [services NAME]. Returns 1 if it is set. */
static int url_of_services(const struct finder *f, struct buf *out, struct err *e)
{
    const char *name = property(f, "services");

    if (!name)
        return 0;
    if (aws_files_check(f->files, AWS_SERVICES, name, e) < 0)
        return -1;
    const struct aws_property *p =
        aws_files_property(f->files, AWS_SERVICES, name, services[f->service].nested);
    return aws_files_nested(p, "endpoint_url", out) && out->len > 0;
}

/* Appends the URL that the user configured; appends nothing if there is none. */
static int configured_url(const struct finder *f, struct buf *out, struct err *e)
{
    const char *url = url_of_environment(f);

    if (wants(f, f->env->ignore_endpoint_urls, "ignore_configured_endpoint_urls"))
        return 0;
    int found = url ? 0 : url_of_services(f, out, e);
    if (found != 0)
        return found < 0 ? -1 : 0;
    buf_clear(out);
    url = url ? url : property(f, "endpoint_url");
    if (url)
        buf_puts(out, url);
    return 0;
}

void aws_endpoint_configured(const struct aws_env *env, const struct aws_files *files, const char *profile,
                             enum aws_service service, struct buf *out)
{
    const struct finder f = {env, files, profile, service};
    struct err ignored = ERR_INIT;

    (void)configured_url(&f, out, &ignored);
}

static int no_region(const char *region, struct err *e)
{
    if (region)
        (void)err_set(e, ERR_CONFIG, "'%.64s' is not an AWS region", region);
    else
        (void)err_set(e, ERR_CONFIG, "no AWS region");
    return err_hint(e, "AWS_REGION, AWS_DEFAULT_REGION, or region in the AWS profile");
}

/* Without FIPS and dual-stack, the sign-in service has the console's domains. Returns NULL for other
 * partitions. */
static const char *sign_in_suffix(const struct aws_partition *p)
{
    return text_equal(p->name, "aws")          ? "aws.amazon.com"
           : text_equal(p->name, "aws-cn")     ? "amazonaws.cn"
           : text_equal(p->name, "aws-us-gov") ? "amazonaws-us-gov.com"
                                               : NULL;
}

static void own_url(const struct aws_partition *p, enum aws_service service, const char *region, bool fips,
                    bool dual_stack, struct buf *out)
{
    const char *host = services[service].host;
    bool is_sign_in = service == AWS_SIGNIN;

    if (is_sign_in && !fips && !dual_stack && sign_in_suffix(p))
        buf_printf(out, "https://%s.signin.%s", region, sign_in_suffix(p));
    else if (!is_sign_in && text_equal(region, "aws-global"))
        buf_printf(out, "https://%s.%s", host, p->suffix);
    else
        /* In GovCloud the plain host names are FIPS endpoints already, except for sign-in. */
        buf_printf(out, "https://%s%s.%s.%s", host,
                   fips && (dual_stack || is_sign_in || !text_equal(p->name, "aws-us-gov")) ? "-fips" : "",
                   region, dual_stack ? p->dual_stack_suffix : p->suffix);
}

int aws_endpoint_find(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      enum aws_service service, const char *region, struct aws_endpoint *out, struct err *e)
{
    const struct finder f = {env, files, profile, service};
    bool fips = wants(&f, env->use_fips, "use_fips_endpoint");
    bool dual_stack = wants(&f, env->use_dual_stack, "use_dualstack_endpoint");
    AUTO_BUF(url, sizeof out->url - 1);

    if (!region || !aws_region_is_valid(region))
        return no_region(region, e);
    if (configured_url(&f, &url, e) < 0)
        return -1;
    if (url.len && (fips || dual_stack)) {
        (void)err_set(e, ERR_CONFIG, "%s and an endpoint URL are both set", fips ? "FIPS" : "dual-stack");
        return err_hint(e, "unset the endpoint URL, or AWS_USE_%s_ENDPOINT", fips ? "FIPS" : "DUALSTACK");
    }
    if (url.len && ((!text_starts(buf_str(&url), "https://") && !text_starts(buf_str(&url), "http://")) ||
                    aws_word_fault(buf_str(&url)))) {
        (void)err_set(e, ERR_CONFIG, "the AWS endpoint '%.128s' is not an http or https URL", buf_str(&url));
        return err_hint(e, "like https://sts.example.com");
    }
    if (!url.len)
        own_url(aws_partition_of(region), service, region, fips, dual_stack, &url);
    if (!buf_ok(&url)) {
        (void)err_set(e, ERR_CONFIG, "the AWS endpoint has over %zu bytes", sizeof out->url - 1);
        return err_hint(e, "like https://sts.example.com");
    }
    size_t n = url.len;
    while (n && buf_str(&url)[n - 1] == '/')
        n--;
    (void)snprintf(out->url, sizeof out->url, "%.*s", (int)n, buf_str(&url));
    (void)snprintf(out->region, sizeof out->region, "%s",
                   text_equal(region, "aws-global") ? "us-east-1" : region);
    out->service = services[service].signing_name;
    return 0;
}
