/* SPDX-License-Identifier: MIT */
/*
 * Logs out: revokes the token, and Vault then deletes the users created with it. A token from the environment
 * or a file is not revoked, only the lease made with it. The default policy denies that; then a message tells
 * when the user expires.
 */
#include <base/clock.h>
#include <base/log.h>
#include <base/text.h>

#include "lease.h"
#include "token.h"

static int revoke_token(struct vault *v, int64_t deadline, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    struct vault_refusal why;
    const struct vault_call call = {
        .method = "PUT", .path = "auth/token/revoke-self", .token = v->token.value};

    if (vault_call(v, &call, false, deadline, &answer, &why, e) == 0)
        return 0;
    /* Vault no longer knows the token, so there is nothing to revoke. */
    return why.status == 403 && vault_token_look_up(v, deadline, e) == 1 ? 0 : -1;
}

static void note_left(const char *what, const char *name, time_t end, const struct err *e)
{
    AUTO_BUF(life, 64);

    clock_format_duration(&life, (int64_t)(end - time(NULL)) * 1000);
    log_note("cannot revoke %s%s (%s); it ends in %s", what, name, e->msg, buf_str(&life));
}

static void revoke_lease(const struct vault *v, int64_t deadline)
{
    struct err e = ERR_INIT;
    struct vault_refusal why;

    if (v->lease.id && vault_lease_revoke(v, deadline, &why, &e) < 0)
        note_left("the database user ", v->lease.user, v->lease.expires_at, &e);
}

int vault_end_user(struct vault *v, const char *user, int64_t deadline, struct err *e)
{
    struct vault_refusal why = {0};

    if (!vault_token_find(v, deadline) || !vault_lease_find(v, deadline) ||
        !text_equal(v->lease.user, user) || !v->lease.id)
        return 0;
    if (vault_lease_revoke(v, deadline, &why, e) < 0) {
        (void)err_prefix(e, "cannot revoke the database user %s", user);
        return why.status == 403 ? err_hint(e, "ask for a policy that allows update on sys/leases/revoke")
                                 : -1;
    }
    vault_lease_forget(v, deadline);
    return 0;
}

int vault_sign_out(struct vault *v, int64_t deadline, unsigned *forgotten, struct err *e)
{
    struct err of_vault = ERR_INIT;
    bool is_ours;
    unsigned tokens = 0;

    *forgotten = 0;
    if (!vault_token_find(v, deadline))
        return 0;
    is_ours = v->token.from != VAULT_FROM_GIVEN;
    (void)vault_lease_find(v, deadline);
    if (!is_ours || v->token.is_batch)
        revoke_lease(v, deadline);
    else if (revoke_token(v, deadline, &of_vault) < 0)
        note_left("the token", "", v->token.expires_at, &of_vault);
    *forgotten = vault_lease_forget_all(v, deadline);
    int result = vault_token_forget(v, deadline, &tokens, e);
    *forgotten += is_ours && tokens;
    return result;
}
