/* SPDX-License-Identifier: MIT */
/* broker logout: deletes what is cached between runs, for one identity or all. It deletes neither stored
 * passwords (see `password delete`) nor the AWS CLI's cache. */
#include "begin.h"

#include <base/clock.h>
#include <base/log.h>
#include <store/store.h>

static int say_forgotten(unsigned n)
{
    if (n == 0)
        log_note("no session to forget");
    else
        log_note("forgot %u session%s", n, n == 1 ? "" : "s");
    return 0;
}

/* Revokes what the profile's provider holds elsewhere, such as a Vault token. Returns how many entries were
 * removed. */
static unsigned sign_out(const char *name)
{
    AUTO_SESSION(s);
    struct err e = ERR_INIT;
    const struct request request = {.name = name, .verb = "logout"};
    unsigned n = 0;

    if (session_open(&s, &request, &e) < 0 || session_plan(&s, FOR_SECRET, NULL, false, &e) < 0)
        log_step("logout", "%s: %s", name, e.msg);
    else if (s.plan.provider && s.plan.provider->makes_user && session_sign_out(&s, &n, &e) < 0)
        log_warn(e.hint, "%s: %s", name, e.msg);
    return n;
}

static unsigned sign_out_all(struct err *e)
{
    struct config *config = NULL;
    unsigned n = 0;

    if (config_load(&config, e) == 0) {
        const char *const *names = config_profile_names(config);
        for (size_t i = 0; names[i]; i++) {
            AUTO_PROFILE(p);
            if (config_resolve(config, names[i], NULL, NULL, 0, &p, e) == 0 &&
                text_equal(profile_str(&p, KEY_auth), "vault"))
                n += sign_out(names[i]);
        }
    }
    config_free(config);
    err_clear(e);
    return n;
}

static int forget_all(int64_t deadline, struct err *e)
{
    AUTO_WORDS(identities);
    unsigned n = sign_out_all(e);

    if (store_keyring.list("", store_add_identity, &identities, deadline, e) == STORE_FAILED)
        return -1;
    for (size_t i = 0; i < identities.count; i++) {
        enum store_result erased = store_keyring.erase(identities.word[i], deadline, e);
        if (erased == STORE_FAILED)
            return -1;
        n += erased == STORE_OK;
    }
    err_clear(e);
    return say_forgotten(n);
}

static int logout_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);
    unsigned n;

    if (inv->given[OPT_all]) {
        if (!inv->word[0])
            return forget_all(CLOCK_NEVER, e);
        (void)err_set(e, ERR_USAGE, "--all goes without a name");
        return err_hint(e, "broker logout --all");
    }
    if (begin_plan(inv, &s, FOR_SECRET, NULL, e) < 0 || session_sign_out(&s, &n, e) < 0)
        return -1;
    return say_forgotten(n);
}

const struct verb verb_logout = {
    .name = "logout",
    .usage = "[PROFILE|URL|--all] [OPTION]...",
    .summary = "revoke and forget cached credentials",
    .about = "Remove the cached credentials and sessions of a profile, and revoke those that can be revoked.",
    .group = GROUP_MANAGE,
    .examples = {"broker logout prod", "broker logout --all"},
    .sets = SET_PROFILE | SET_RUN | SET_SHOW,
    .most_words = 1,
    .words = "profile",
    .run = logout_run,
};
