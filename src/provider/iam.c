/* SPDX-License-Identifier: MIT */
/*
 * auth = iam: an RDS token, signed with AWS keys for the server's own name (sign_host:sign_port, or else host
 * and port), even if the connection goes to another address. The login gets the keys through AWS's credential
 * chain. A token is quickly made, so it is never stored.
 */
#include <provider/provider.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <aws/partition.h>
#include <aws/rds_host.h>
#include <aws/rds_token.h>
#include <aws/session.h>
#include <aws/source.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>
#include <store/store.h>

/* The state that login() keeps for get(). */
struct iam_login {
    struct aws_context context;
    struct aws_login person;
    struct aws_keys keys;
    const char *region;
};

static void iam_login_free(void *state)
{
    struct iam_login *l = state;

    aws_keys_release(&l->keys);
    aws_context_release(&l->context);
    free(l);
}

/* --- the server's name */

static const char *sign_host(const struct profile *p)
{
    const char *host = profile_str(p, KEY_sign_host);

    return host ? host : profile_str(p, KEY_host);
}

static unsigned sign_port(const struct profile *p)
{
    unsigned port = profile_number(p, KEY_sign_port);

    return port ? port : profile_number(p, KEY_port);
}

/* Uses inet_aton(3), because resolvers accept 127.1 and 2130706433 as addresses too. */
static bool is_address(const char *host)
{
    struct in_addr address;

    return host_is_loopback(host) || strchr(host, ':') || inet_aton(host, &address);
}

static int iam_check(const struct profile *p, struct err *e)
{
    const char *host = sign_host(p), *region = profile_str(p, KEY_region);

    if (!host) {
        (void)err_set(e, ERR_CONFIG, "auth = iam needs a host: the token is signed for its name");
        return err_hint(e, "set host to the RDS name, or sign_host for a server on a socket");
    }
    if (is_address(host)) {
        (void)err_set(e, ERR_CONFIG, "not the server's name, so no token for it is valid");
        (void)err_what(e, "%s", host);
        return err_hint(e, "set host to the RDS name and via = tcp://127.0.0.1:%u", sign_port(p));
    }
    if (rds_host_parse(host).kind == RDS_DSQL) {
        (void)err_set(e, ERR_CONFIG, "Aurora DSQL speaks PostgreSQL");
        return err_hint(e, "auth = iam is for MySQL and MariaDB on RDS and Aurora");
    }
    if (region && !aws_region_is_valid(region)) {
        (void)err_set(e, ERR_CONFIG, "region = %s: not an AWS region", region);
        return err_hint(e, "for example: region = eu-west-1");
    }
    return 0;
}

static int no_region(const char *host, struct err *e)
{
    enum rds_kind kind = rds_host_parse(host).kind;

    (void)err_set(e, ERR_CONFIG, "no region: %s",
                  kind == RDS_GLOBAL_WRITER ? "the name of a global database has no region"
                                            : "not an RDS name");
    return err_hint(e, "--region, AWS_REGION, AWS_DEFAULT_REGION, or region in the AWS profile");
}

/* Uses the profile's region, which was set or derived from the host name, or else AWS's own settings. */
static int choose_region(const struct profile *p, struct iam_login *l, struct err *e)
{
    const char *own = profile_str(p, KEY_region);
    struct aws_regions *regions = &l->context.regions;

    l->region = own ? own : aws_region_first(regions, aws_chain_arn(&l->context.chain));
    if (!l->region)
        return no_region(sign_host(p), e);
    regions->of[AWS_REGION_DATABASE] = l->region;
    if (own && p->set[KEY_region].origin != ORIGIN_DERIVED)
        regions->of[AWS_REGION_WANTED] = own;
    return 0;
}

/* Warns if the host is not an RDS name but for example an alias in the user's DNS zone, because RDS verifies
 * a token for the server's own name. */
static void warn_of_alias(const struct profile *p)
{
    const char *host = sign_host(p);

    if (!profile_str(p, KEY_sign_host) && rds_host_parse(host).kind == RDS_OTHER)
        log_warn("set sign_host to the server's name in RDS",
                 "%s: not a name of RDS, which accepts tokens for its own names only", host);
}

/* --- login and token */

static int iam_login(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    struct iam_login *l = mem_alloc(1, sizeof *l);
    AUTO_BUF(text, 4096);

    *l = (struct iam_login){.context = AWS_CONTEXT_INIT};
    out->login_state = l;
    out->login_free = iam_login_free;
    if (aws_context_load(&l->context, profile_str(p, KEY_aws_profile), !profile_str(p, KEY_region), e) < 0 ||
        choose_region(p, l, e) < 0)
        return -1;
    warn_of_alias(p);
    l->context.mfa_command = profile_str(p, KEY_mfa_command);
    l->context.may_log_in = out->may_log_in;
    l->context.login = &l->person;
    l->person.is_wanted = out->wants_login;
    if (aws_keys_get(&l->context, deadline, &l->keys, e) < 0)
        return -1;
    out->logged_in = l->person.is_new;
    out->login_expires_at = l->person.expires_at ? l->person.expires_at : l->keys.expires_at;
    aws_chain_describe(&l->context.chain, &text);
    out->login = buf_take(&text);
    return 0;
}

static int iam_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    if (!out->login && iam_login(p, deadline, out, e) < 0)
        return -1;
    const struct iam_login *l = out->login_state;
    const struct rds_token token = {.host = sign_host(p),
                                    .port = sign_port(p),
                                    .user = profile_str(p, KEY_user),
                                    .region = l->region,
                                    .now = time(NULL)};
    if (rds_token_make(&token, &l->keys, &out->password, e) < 0)
        return -1;
    log_trace("token", "%s:%u, region %s, key %s", token.host, token.port, token.region, l->keys.id);
    out->expires_at = token.now + RDS_TOKEN_SECONDS;
    if (l->keys.expires_at && l->keys.expires_at < out->expires_at)
        out->expires_at = l->keys.expires_at;
    out->cleartext = true;
    return 0;
}

static int keys_living(const struct profile *p, time_t least_life, int64_t deadline, struct aws_keys *out,
                       struct err *e)
{
    AUTO_AWS_CONTEXT(context);

    if (aws_context_load(&context, profile_str(p, KEY_aws_profile), false, e) < 0)
        return -1;
    context.mfa_command = profile_str(p, KEY_mfa_command);
    context.least_life = least_life;
    const char *own = profile_str(p, KEY_region);
    if (own && p->set[KEY_region].origin != ORIGIN_DERIVED)
        context.regions.of[AWS_REGION_WANTED] = own;
    return aws_keys_get(&context, deadline, out, e);
}

/* If the chain cannot get keys that are valid that long, for example because the user would have to log in,
 * the cached keys are used. */
static int iam_keys(const struct profile *p, time_t least_life, int64_t deadline, struct access_keys *out,
                    struct err *e)
{
    AUTO_AWS_KEYS(keys);
    struct err second = ERR_INIT;

    if (keys_living(p, least_life, deadline, &keys, e) < 0) {
        if (keys_living(p, 0, deadline, &keys, &second) < 0)
            return -1;
        err_clear(e);
    }
    *out = (struct access_keys){keys.id, keys.secret, keys.token, keys.account, keys.expires_at};
    keys = (struct aws_keys){0};
    return 0;
}

/* Removes only broker's own entries; the AWS CLI has a command for its cache. */
static int iam_logout(const struct profile *p, int64_t deadline, unsigned *forgotten, struct err *e)
{
    AUTO_AWS_CONTEXT(context);
    AUTO_FREE(char *, identity);

    if (aws_context_load(&context, profile_str(p, KEY_aws_profile), false, e) < 0)
        return -1;
    identity = aws_session_identity(&context);
    enum store_result erased = store_keyring.erase(identity, deadline, e);
    *forgotten = erased == STORE_OK;
    if (context.chain.step[0].kind == AWS_KIND_sso)
        log_note("the AWS CLI's own login stays; aws sso logout ends it");
    return erased == STORE_FAILED ? -1 : 0;
}

/* --- descriptions */

static void iam_describe_login(const struct profile *p, struct buf *out)
{
    const char *profile = profile_str(p, KEY_aws_profile);
    struct aws_env env;

    aws_env_read(&env);
    if (!profile && env.access_key_id)
        buf_puts(out, "aws environment");
    else
        buf_printf(out, "aws profile %s", aws_profile_name(&env, profile));
}

static void iam_refused(const struct profile *p, struct buf *out)
{
    const char *profile = profile_str(p, KEY_aws_profile);

    buf_printf(out, "check IAM auth on the server, rds-db:connect for %s, aws sts get-caller-identity%s",
               profile_str(p, KEY_user), profile ? " --profile " : "");
    if (profile)
        text_quote_sh(out, profile);
}

static void iam_describe(const struct profile *p, struct buf *out)
{
    buf_printf(out, "iam token for %s", profile_str(p, KEY_user));
}

static void iam_describe_scope(const struct profile *p, struct buf *out)
{
    if (profile_str(p, KEY_region))
        buf_printf(out, "region %s", profile_str(p, KEY_region));
}

const struct provider provider_iam = {
    .name = "iam",
    .expires = true,
    .needs_user = true,
    .check = iam_check,
    .login = iam_login,
    .get = iam_get,
    .keys = iam_keys,
    .logout = iam_logout,
    .refused = iam_refused,
    .describe_login = iam_describe_login,
    .describe = iam_describe,
    .describe_scope = iam_describe_scope,
};
