/* SPDX-License-Identifier: MIT */
/* Static keys from the environment, the credentials file or the config file. */
#include <aws/source.h>

#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/mem.h>
#include <model/identity.h>

static int too_long(const struct aws_step *step, struct err *e)
{
    if (step->profile)
        (void)err_set(e, ERR_DATA, "AWS profile '%s': a key has over %d bytes", step->profile,
                      SECRET_MAX / 2);
    else
        (void)err_set(e, ERR_DATA, "an AWS key in the environment has over %d bytes", SECRET_MAX / 2);
    return err_hint(e, "a key has 40 bytes, a session token a few thousand");
}

/* Reads AWS_CREDENTIAL_EXPIRATION, which is set by the program that exported the keys. */
static int read_expiration(const struct aws_step *step, struct aws_keys *out, struct err *e)
{
    AUTO_BUF(ago, 64);
    time_t now = time(NULL);

    if (!step->expiration)
        return 0;
    if (!clock_parse_utc(step->expiration, &out->expires_at)) {
        (void)err_set(e, ERR_CONFIG, "AWS_CREDENTIAL_EXPIRATION is not a time: '%.64s'", step->expiration);
        return err_hint(e, "use the form 2026-11-21T07:00:00Z, or unset it");
    }
    if (out->expires_at > now)
        return 0;
    clock_format_duration(&ago, (int64_t)(now - out->expires_at) * 1000);
    (void)err_set(e, ERR_LOGIN, "the AWS keys in the environment expired %s ago", buf_str(&ago));
    return err_hint(e, "export new ones, or unset AWS_ACCESS_KEY_ID and set aws_profile");
}

static int static_get(const struct aws_context *c, const struct aws_step *step, const struct aws_keys *before,
                      int64_t deadline, struct aws_keys *out, struct err *e)
{
    size_t token = step->token ? strlen(step->token) : 0;

    (void)c;
    (void)before;
    (void)deadline;
    if (strlen(step->id) > 1024 || strlen(step->secret) > SECRET_MAX / 2 || token > SECRET_MAX / 2)
        return too_long(step, e);
    out->id = mem_strdup(step->id);
    out->secret = secret_from(step->secret, strlen(step->secret));
    out->token = step->token ? secret_from(step->token, token) : NULL;
    out->account = mem_strdup(step->account);
    return read_expiration(step, out, e);
}

static int static_proof(const struct aws_context *c, const struct aws_step *step, char **place,
                        int64_t deadline, struct buf *out)
{
    (void)c;
    (void)place;
    (void)deadline;
    identity_add_field(out, step->id);
    identity_add_field(out, step->secret);
    identity_add_field(out, step->token);
    return 0;
}

const struct aws_source aws_source_static_keys = {.get = static_get, .proof = static_proof};
