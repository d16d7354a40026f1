/* SPDX-License-Identifier: MIT */
/* Calls to Vault about a token: login, lookup and renewal. */
#include "token.h"

#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

int vault_token_look_up(struct vault *v, int64_t deadline, struct err *e)
{
    static const char *const want[] = {"data.ttl", "data.creation_ttl", "data.renewable", "data.type",
                                       "data.num_uses"};
    AUTO_HTTP_ANSWER(answer);
    struct vault_refusal why;
    const struct vault_call call = {.method = "GET",
                                    .path = "auth/token/lookup-self",
                                    .token = v->token.value,
                                    .want = want,
                                    .want_count = ARRAY_LEN(want)};

    if (vault_call(v, &call, false, deadline, &answer, &why, e) < 0)
        return why.status == 403 ? 1 : -1;
    unsigned long ttl = vault_number(&answer, 0, 0);
    v->token.expires_at = ttl ? time(NULL) + (time_t)ttl : 0;
    v->token.ttl = vault_number(&answer, 1, 0);
    v->token.is_renewable = text_equal(http_text(&answer, 2), "true");
    v->token.is_batch = text_equal(http_text(&answer, 3), "batch");
    v->token.uses = (unsigned)vault_number(&answer, 4, 0);
    return 0;
}

void vault_token_renew(struct vault *v, int64_t deadline)
{
    static const char *const want[] = {"auth.lease_duration", "auth.renewable"};
    AUTO_HTTP_ANSWER(answer);
    AUTO_JSON(body);
    struct vault_refusal why;
    struct err e = ERR_INIT;
    struct vault_token *t = &v->token;

    if (!t->is_renewable || t->is_batch || t->uses || !t->expires_at ||
        (unsigned long)(t->expires_at - time(NULL)) > t->ttl / 2)
        return;
    json_use_wiping_memory();
    body = json_object();
    const struct vault_call call = {.method = "PUT",
                                    .path = "auth/token/renew-self",
                                    .token = t->value,
                                    .body = body,
                                    .want = want,
                                    .want_count = ARRAY_LEN(want)};
    if (vault_call(v, &call, false, deadline, &answer, &why, &e) < 0) {
        log_step("login", "cannot renew the token: %s", e.msg);
        return;
    }
    unsigned long ttl = vault_number(&answer, 0, 0);
    if (!ttl) /* otherwise the token would seem to be valid forever */
        return;
    t->expires_at = time(NULL) + (time_t)ttl;
    t->is_renewable = text_equal(http_text(&answer, 1), "true");
    log_step("login", "renewed the token");
    vault_token_keep(v, false, deadline);
}

static int refuse_mfa(struct err *e)
{
    (void)err_set(e, ERR_REFUSED,
                  "Vault requires a second factor (MFA) for this login, which this version does not support");
    return err_hint(e, "use a login without Vault's own MFA, or set VAULT_TOKEN to a token from vault login");
}

int vault_token_login(const struct vault *v, const char *method, const char *path, json_t *body,
                      const struct secret *token, int64_t deadline, struct vault_token *out,
                      struct vault_refusal *why, struct err *e)
{
    static const char *const want[] = {"auth.client_token", "auth.lease_duration",
                                       "auth.renewable",    "auth.token_type",
                                       "auth.num_uses",     "auth.mfa_requirement.mfa_request_id"};
    AUTO_HTTP_ANSWER(answer);
    const struct vault_call call = {.method = method,
                                    .path = path,
                                    .token = token,
                                    .body = body,
                                    .want = want,
                                    .want_count = ARRAY_LEN(want)};

    if (vault_call(v, &call, true, deadline, &answer, why, e) < 0)
        return -1;
    if (*http_text(&answer, 5))
        return refuse_mfa(e);
    out->value = vault_take_field(&answer, 0);
    if (!out->value || vault_token_fault(secret_bytes(out->value))) {
        (void)err_set(e, ERR_PROTOCOL, "Vault: the login returned no token");
        return err_hint(e, "check that vault_addr = %s is a Vault server", v->addr);
    }
    out->from = VAULT_FROM_LOGIN;
    out->ttl = vault_number(&answer, 1, 0);
    out->expires_at = out->ttl ? time(NULL) + (time_t)out->ttl : 0;
    out->is_renewable = text_equal(http_text(&answer, 2), "true");
    out->is_batch = text_equal(http_text(&answer, 3), "batch");
    out->uses = (unsigned)vault_number(&answer, 4, 0);
    return 0;
}
