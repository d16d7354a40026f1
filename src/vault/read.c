/* SPDX-License-Identifier: MIT */
/*
 * Reads the credential. Status 403 may mean that the token is no longer valid or that a policy denies access.
 * To find out, the token is looked up; if it is invalid, broker logs in again, once. Other errors are
 * reported as they are.
 */
#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "lease.h"
#include "path.h"
#include "roles.h"
#include "sign_in.h"
#include "token.h"

static int explain_policy(const struct vault *v, struct err *e)
{
    AUTO_FREE(char *, words);

    words = mem_strdup(e->msg);
    (void)err_set(e, ERR_REFUSED, "%s (%s)", words, v->path);
    return err_hint(e, "check vault_path, or ask for a policy that allows read on %s", v->path);
}

static int explain_read(struct vault *v, const struct vault_refusal *why, int64_t deadline, struct err *e)
{
    if (why->status == 400 && strstr(why->words, "one use left")) {
        (void)err_hint(e, "configure this login to create tokens with more than one use (token_num_uses)");
        return -1;
    }
    if (why->status == 400 && strstr(why->words, "unknown role"))
        return vault_explain_role(v, deadline, e);
    if (why->status == 403)
        return explain_policy(v, e);
    return e->hint[0] ? -1 : err_hint(e, "check vault_path = %s", v->path);
}

/* Returns 1 if the token is invalid, so that a login may help; 0 if it is valid, so that a policy denies
 * access; -1 if that is not known. */
static int is_dead(struct vault *v, int64_t deadline)
{
    struct err ignored = ERR_INIT;

    return v->token.from == VAULT_FROM_LOGIN ? 0 : vault_token_look_up(v, deadline, &ignored);
}

static int read_again(struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e)
{
    struct err ignored = ERR_INIT;
    unsigned count;
    char refused[33];

    if (v->given)
        return vault_given_refused(v, e);
    log_step("login", "Vault no longer accepts the token: %s", e->msg);
    vault_token_digest(&v->token, refused);
    (void)vault_token_forget(v, deadline, &count, &ignored);
    if (vault_log_in(v, refused, deadline, e) < 0)
        return -1;
    return vault_lease_read(v, deadline, why, e);
}

static int fetch(struct vault *v, int64_t deadline, struct err *e)
{
    struct vault_refusal why = {0};

    if (!vault_path_role(v->path))
        return vault_explain_mount(v, deadline, e);
    int got = vault_lease_read(v, deadline, &why, e);
    if (got < 0 && why.status == 403 && is_dead(v, deadline) > 0) {
        why = (struct vault_refusal){0};
        got = read_again(v, deadline, &why, e);
    }
    if (got == 0)
        vault_lease_keep(v, deadline);
    else if (why.status)
        return explain_read(v, &why, deadline, e);
    return got;
}

/* Returns true if the cached lease can be used, after renewing it if needed. */
static bool use_kept(struct vault *v, int64_t deadline)
{
    if (v->wants_fresh || !vault_lease_find(v, deadline))
        return false;
    if (vault_lease_is_good(&v->lease))
        return true;
    if (!vault_lease_renew(v, deadline))
        return false;
    vault_lease_keep(v, deadline);
    return true;
}

int vault_read(struct vault *v, int64_t deadline, struct err *e)
{
    char name[33];
    AUTO_LOCK(lock);

    if (!v->wants_fresh && vault_lease_is_good(&v->lease))
        return 0;
    vault_lease_lock_name(v, name);
    if (file_lock_or_none(name, NULL, deadline, &lock, e) < 0)
        return -1;
    if (use_kept(v, deadline))
        return 0;
    if (v->wants_renewal)
        return err_set(e, ERR_REFUSED, "Vault: cannot renew the lease");
    return fetch(v, deadline, e);
}

void vault_take_credential(struct vault *v, struct credential *out)
{
    struct vault_lease *l = &v->lease;
    time_t margin = l->expires_at > time(NULL) + VAULT_MARGIN ? VAULT_MARGIN : 0;

    out->user = l->user;
    out->password = l->password;
    out->lease_id = l->id;
    out->made_at = l->made_at;
    out->expires_at = l->expires_at - margin;
    *l = (struct vault_lease){0};
}
