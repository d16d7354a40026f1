/* SPDX-License-Identifier: MIT */
/*
 * auth = keychain: the password stored in the OS keychain, or if there is none, the user's answer to a
 * prompt. After a successful login the session asks whether to store that answer.
 */
#include <provider/provider.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>
#include <model/identity.h>
#include <store/store.h>

#include "ask.h"

static int nothing_stored(const struct profile *p, const char *label, struct err *e)
{
    (void)err_set(e, ERR_LOGIN, "no stored password for %s", label);
    if (p->name)
        return err_hint_sh(e, "broker password set %s", p->name);
    return err_hint(e, "broker profile add NAME, then: broker password set NAME");
}

static int no_keychain(struct err *e)
{
    e->code = ERR_CONFIG;
    (void)err_prefix(e, "no keychain here, and %s", tty_why_not());
    return -1;
}

static int keychain_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);

    identity = identity_password(p);
    label = identity_label(p);
    enum store_result found = store_keychain.get(identity, deadline, &out->password, e);
    if (found == STORE_OK)
        return 0;
    if (found == STORE_FAILED)
        return -1;
    if (!tty_can_ask())
        return found == STORE_MISSING ? nothing_stored(p, label, e) : no_keychain(e);
    if (found == STORE_UNAVAILABLE)
        log_step("keychain", "%s", e->msg);
    err_clear(e);
    if (ask_password(p, out, e) < 0)
        return -1;
    out->keepable = found == STORE_MISSING;
    return 0;
}

static int keychain_keep(const struct profile *p, const struct credential *c, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);

    identity = identity_password(p);
    label = identity_label(p);
    return store_keychain.put(identity, label, c->password, 0, deadline, e) == STORE_OK ? 0 : -1;
}

static void keychain_refused(const struct profile *p, struct buf *out)
{
    if (p->name)
        buf_printf(out, "check user; a changed password: broker password set %s", p->name);
    else
        buf_puts(out, "check user and password");
}

static void keychain_describe(const struct profile *p, struct buf *out)
{
    AUTO_FREE(char *, label);

    label = identity_label(p);
    buf_printf(out, "stored password of %s", label);
}

const struct provider provider_keychain = {
    .name = "keychain",
    .needs_user = true,
    .get = keychain_get,
    .keep = keychain_keep,
    .refused = keychain_refused,
    .describe = keychain_describe,
};
