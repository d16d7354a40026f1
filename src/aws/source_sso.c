/* SPDX-License-Identifier: MIT */
/*
 * SSO (IAM Identity Center): gets the keys of a role in an account from the portal, with the token of an SSO
 * session. The CLI's own cache of such keys is tried first. If the portal refuses the token, for example
 * because the user signed out elsewhere, the token is renewed once.
 */
#include <aws/source.h>

#include <string.h>
#include <sys/stat.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "cache_file.h"
#include "call.h"
#include "sso_names.h"
#include "sso_token.h"

static int take_role(const struct aws_step *step, struct http_answer *answer, struct aws_keys *out,
                     struct err *e)
{
    static const struct aws_keys_fields at = {.id = 0, .secret = 1, .token = 2, .expiration = -1};
    unsigned long ms;

    if (aws_keys_take(answer, &at, "AWS SSO", out, e) < 0)
        return -1;
    if (!text_number(http_text(answer, 3), 1UL << 48, &ms))
        return err_set(e, ERR_PROTOCOL, "AWS SSO: the expiration is not a time");
    out->expires_at = (time_t)(ms / 1000);
    out->account = mem_strdup(step->sso_account);
    return 0;
}

/* Sets the error for a refusal by the portal. */
static int explain(const struct aws_step *step, const struct aws_refusal *why, struct err *e)
{
    if (why->status == 403 || why->status == 404) {
        (void)err_set(e, ERR_REFUSED, "SSO session '%s' has no role '%s' in account %s", sso_name(step),
                      step->sso_role, step->sso_account);
        if (why->message[0])
            (void)err_detail(e, "%s", why->message);
        return err_hint(e, "check sso_account_id and sso_role_name of AWS profile '%s'", step->profile);
    }
    if (why->status == 401)
        return err_set(e, ERR_LOGIN, "SSO session '%s' was ended early", sso_name(step));
    return -1;
}

static int ask_portal(const struct aws_context *c, const struct aws_step *step, const struct secret *token,
                      int64_t deadline, struct aws_keys *out, struct aws_refusal *why, struct err *e)
{
    static const struct aws_want want[] = {{HTTP_JSON, "roleCredentials.accessKeyId"},
                                           {HTTP_JSON, "roleCredentials.secretAccessKey"},
                                           {HTTP_JSON, "roleCredentials.sessionToken"},
                                           {HTTP_JSON, "roleCredentials.expiration"}};
    struct aws_endpoint endpoint;
    AUTO_HTTP_ANSWER(answer);
    AUTO_BUF(path, 8192);

    if (aws_endpoint_find(&c->env, &c->files, c->chain.profile, AWS_SSO, step->sso_region, &endpoint, e) < 0)
        return -1;
    buf_puts(&path, "/federation/credentials?role_name=");
    text_percent_encode(&path, step->sso_role, strlen(step->sso_role));
    buf_puts(&path, "&account_id=");
    text_percent_encode(&path, step->sso_account, strlen(step->sso_account));
    const struct aws_call call = {.context = c,
                                  .name = "AWS SSO",
                                  .endpoint = &endpoint,
                                  .method = "GET",
                                  .path = buf_str(&path),
                                  .header = "x-amz-sso_bearer_token",
                                  .header_value = token,
                                  .want = want,
                                  .want_count = ARRAY_LEN(want)};
    if (aws_call_run(&call, deadline, &answer, why, e) < 0)
        return explain(step, why, e);
    return take_role(step, &answer, out, e);
}

/* Returns whether a file is newer than a time. The CLI's file does not tell which token its keys were fetched
 * with, so it must be newer than the current token. */
static bool is_younger(const char *path, const struct timespec *than)
{
    struct stat st;

    return stat(path, &st) == 0 &&
           (st.st_mtim.tv_sec > than->tv_sec ||
            (st.st_mtim.tv_sec == than->tv_sec && st.st_mtim.tv_nsec >= than->tv_nsec));
}

/* Looks for keys in the CLI's cache. Returns 1 if it has them, 0 if not, -1 on error. */
static int look_into_cli_cache(const struct aws_context *c, const struct aws_step *step, int64_t deadline,
                               struct aws_keys *out, struct err *e)
{
    AUTO_BUF(token, SECRET_MAX);
    AUTO_FREE(char *, token_file);
    struct timespec changed;
    AUTO_BUF(text, 8192);
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, path);
    AUTO_JSON(root);
    char hash[41];

    if (!sso_role_name(step, &text))
        return 0;
    if (http_sha1(buf_str(&text), hash, deadline, e) < 0)
        return -1;
    name = mem_printf("%s.json", hash);
    if (cache_file_path(".aws/cli/cache", name, &path, e) < 0)
        return -1;
    if (sso_token_proof(c, step, &token_file, deadline, &token, &changed) != 0 || !is_younger(path, &changed))
        return 0;
    root = cache_file_read(path);
    if (!cache_file_keys(root, out))
        return 0;
    aws_proof_used(c, step, buf_str(&token), token.len);
    log_step("aws", "keys of role %s from the AWS CLI's cache", step->sso_role);
    return 1;
}

static int used(const struct aws_context *c, const struct aws_step *step, const struct secret *token)
{
    aws_proof_used(c, step, secret_bytes(token), secret_len(token));
    return 0;
}

static int sso_get(const struct aws_context *c, const struct aws_step *step, const struct aws_keys *before,
                   int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_SECRET(token);
    AUTO_SECRET(newer);
    struct aws_refusal why = {0};

    (void)before;
    /* If the user asked to log in now, get new keys, because they are valid for longer than cached ones. */
    int cached = c->login && c->login->is_wanted ? 0 : look_into_cli_cache(c, step, deadline, out, e);
    if (cached != 0)
        return cached < 0 ? -1 : 0;
    if (sso_token_get(c, step, NULL, deadline, &token, e) < 0)
        return -1;
    if (ask_portal(c, step, token, deadline, out, &why, e) == 0)
        return used(c, step, token);
    if (why.status != 401)
        return -1;
    if (sso_token_get(c, step, token, deadline, &newer, e) < 0)
        return -1;
    err_clear(e);
    return ask_portal(c, step, newer, deadline, out, &why, e) < 0 ? -1 : used(c, step, newer);
}

static int sso_proof(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                     struct buf *out)
{
    return sso_token_proof(c, step, place, deadline, out, NULL);
}

const struct aws_source aws_source_sso = {.get = sso_get, .proof = sso_proof};
