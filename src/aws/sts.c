/* SPDX-License-Identifier: MIT */
/* STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
#include "sts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <base/mem.h>
#include <base/text.h>

enum { KEY_ID, KEY_SECRET, KEY_TOKEN, KEY_EXPIRATION, ROLE_ARN, WANTS };

void sts_form_add(struct buf *form, const char *name, const char *value)
{
    if (!value)
        return;
    if (form->len)
        buf_putc(form, '&');
    buf_printf(form, "%s=", name);
    text_percent_encode(form, value, strlen(value));
}

void sts_form_begin(struct buf *form, const struct sts_role *role)
{
    AUTO_FREE(char *, name);

    name = role->step->session_name ? mem_strdup(role->step->session_name)
                                    : mem_printf("broker-session-%lld", (long long)time(NULL));
    sts_form_add(form, "Action", role->action);
    sts_form_add(form, "Version", "2011-06-15");
    sts_form_add(form, "RoleArn", role->step->role_arn);
    sts_form_add(form, "RoleSessionName", name);
    sts_form_add(form, "DurationSeconds", role->step->duration);
}

int sts_name_role(const struct aws_step *step, struct err *e)
{
    const char *role = aws_role_name(step->role_arn);

    if (step->profile)
        return err_prefix(e, "AWS profile '%s': role %s", step->profile, role);
    return err_prefix(e, "role %s", role);
}

/* Adds a hint for the common refusals. */
static int hint(const struct sts_role *role, const struct aws_refusal *why, struct err *e)
{
    const struct aws_step *step = role->step;
    static const struct {
        const char *code, *hint;
    } hints[] = {
        {"ExpiredToken", "the keys that assume the role have expired: get new ones"},
        {"ExpiredTokenException", "the token in web_identity_token_file has expired: get a new one"},
        {"InvalidIdentityToken", "check web_identity_token_file, and the role's identity provider"},
        {"IDPRejectedClaim", "check web_identity_token_file, and the conditions of the role's trust policy"},
        {"InvalidClientTokenId",
         "the access key that assumes the role is not active: aws sts get-caller-identity"},
        {"UnrecognizedClientException",
         "the access key that assumes the role is not active: aws sts get-caller-identity"},
        {"SignatureDoesNotMatch", "check aws_secret_access_key of the keys that assume the role"},
        {"RegionDisabledException", "set another region in the AWS profile, or enable STS in this one"},
        {"ValidationError", "check role_arn, role_session_name, external_id and duration_seconds"},
        {"MalformedPolicyDocument", "check the role's policies"},
    };

    if (text_equal(why->code, "AccessDenied")) {
        if (step->mfa_serial || !role->keys)
            return err_hint(e, "check the role's trust policy, and external_id if it wants one");
        return err_hint(e, "check the role's trust policy, and mfa_serial and external_id if it wants them");
    }
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (text_equal(why->code, hints[i].code) && !strstr(e->msg, "clock"))
            return err_hint(e, "%s", hints[i].hint);
    }
    return -1;
}

/* Extracts the account from arn:aws:sts::123456789012:assumed-role/... */
static char *account_of(const char *arn)
{
    for (int i = 0; i < 4; i++) {
        arn = strchr(arn, ':');
        if (!arn)
            return NULL;
        arn++;
    }
    size_t n = strspn(arn, "0123456789");
    return n && n <= 12 && arn[n] == ':' ? mem_strndup(arn, n) : NULL;
}

int sts_assume(const struct sts_role *role, const struct buf *form, int64_t deadline, struct aws_keys *out,
               struct aws_refusal *why, struct err *e)
{
    static const char *const parts[] = {"Credentials/AccessKeyId", "Credentials/SecretAccessKey",
                                        "Credentials/SessionToken", "Credentials/Expiration",
                                        "AssumedRoleUser/Arn"};
    struct aws_want want[WANTS];
    char path[WANTS][128];
    struct aws_endpoint endpoint;
    const char *region;
    AUTO_HTTP_ANSWER(answer);

    if (!buf_ok(form))
        return err_set(e, ERR_DATA, "the request to STS has over %zu bytes", form->max);
    for (size_t i = 0; i < WANTS; i++) {
        (void)snprintf(path[i], sizeof path[i], "%sResponse/%sResult/%s", role->action, role->action,
                       parts[i]);
        want[i] = (struct aws_want){HTTP_XML, path[i]};
    }
    if (aws_region_for(&role->context->regions, role->step->role_arn, &region, e) < 0 ||
        aws_endpoint_find(&role->context->env, &role->context->files, role->context->chain.profile, AWS_STS,
                          region, &endpoint, e) < 0)
        return sts_name_role(role->step, e);
    const struct aws_call call = {.context = role->context,
                                  .name = "AWS STS",
                                  .endpoint = &endpoint,
                                  .keys = role->keys,
                                  .method = "POST",
                                  .path = "/",
                                  .content_type = "application/x-www-form-urlencoded; charset=utf-8",
                                  .body = form,
                                  .want = want,
                                  .want_count = WANTS,
                                  .retry_code = role->retry_code};
    if (aws_call_run(&call, deadline, &answer, why, e) < 0) {
        (void)hint(role, why, e);
        return sts_name_role(role->step, e);
    }
    const struct aws_keys_fields at = {KEY_ID, KEY_SECRET, KEY_TOKEN, KEY_EXPIRATION};
    if (aws_keys_take(&answer, &at, "AWS STS", out, e) < 0)
        return sts_name_role(role->step, e);
    out->account = account_of(http_text(&answer, ROLE_ARN));
    return 0;
}
