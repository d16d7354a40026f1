/* SPDX-License-Identifier: MIT */
/* auth = vault: a temporary database user that Vault creates, or a user whose password Vault manages. The
 * code is in vault/. */
#include <provider/provider.h>

#include <stdlib.h>

#include <base/mem.h>
#include <base/text.h>
#include <vault/vault.h>

static void state_free(void *state)
{
    vault_release(state);
    free(state);
}

static int vault_login(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    struct vault *v = mem_alloc(1, sizeof *v);
    AUTO_BUF(text, 4096);

    out->login_state = v;
    out->login_free = state_free;
    if (vault_open(p, v, e) < 0)
        return -1;
    v->may_log_in = out->may_log_in;
    v->wants_login = out->wants_login;
    v->wants_fresh = out->wants_fresh;
    if (vault_sign_in(v, deadline, e) < 0)
        return -1;
    out->logged_in = v->has_logged_in;
    /* The expiry of a token from elsewhere is not that of a login by broker. */
    out->login_expires_at = v->given ? 0 : v->token.expires_at;
    vault_describe(v, &text);
    out->login = buf_take(&text);
    return 0;
}

static int vault_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    if (!out->login && vault_login(p, deadline, out, e) < 0)
        return -1;
    struct vault *v = out->login_state;
    v->wants_fresh = out->wants_fresh;
    v->wants_renewal = out->wants_renewal;
    if (vault_read(v, deadline, e) < 0)
        return -1;
    vault_take_credential(v, out);
    return 0;
}

static int vault_logout(const struct profile *p, int64_t deadline, unsigned *forgotten, struct err *e)
{
    AUTO_VAULT(v);

    *forgotten = 0;
    return vault_open(p, &v, e) < 0 ? -1 : vault_sign_out(&v, deadline, forgotten, e);
}

static int vault_give_back(const struct profile *p, const char *user, int64_t deadline, struct err *e)
{
    AUTO_VAULT(v);

    return vault_open(p, &v, e) < 0 ? -1 : vault_end_user(&v, user, deadline, e);
}

static void vault_refused(const struct profile *p, struct buf *out)
{
    buf_printf(out, "try again with --fresh; check which rights the role of %s gives its users",
               profile_str(p, KEY_vault_path));
}

static void vault_describe_login(const struct profile *p, struct buf *out)
{
    AUTO_VAULT(v);
    struct err ignored = ERR_INIT;

    if (vault_open(p, &v, &ignored) == 0)
        vault_describe(&v, out);
}

static void describe(const struct profile *p, struct buf *out)
{
    buf_printf(out, "vault %s", profile_str(p, KEY_vault_path));
}

const struct provider provider_vault = {
    .name = "vault",
    .names_user = true,
    .makes_user = true,
    .expires = true,
    .check = vault_check,
    .login = vault_login,
    .get = vault_get,
    .logout = vault_logout,
    .give_back = vault_give_back,
    .refused = vault_refused,
    .describe_login = vault_describe_login,
    .describe = describe,
};
