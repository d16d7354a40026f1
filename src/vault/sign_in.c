/* SPDX-License-Identifier: MIT */
/*
 * Gets a token for a profile. A stored token is used until it expires; Vault is asked about it only if its
 * expiry is not known. Logins are made under a lock, so that of two processes only one logs in.
 */
#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>

#include "lease.h"
#include "method.h"
#include "sign_in.h"
#include "token.h"

/* --- a token from the environment or a file */

int vault_given_refused(const struct vault *v, struct err *e)
{
    AUTO_FREE(char *, words);

    words = mem_strdup(e->msg);
    (void)err_set(e, ERR_REFUSED, "%s does not know the token of %s", v->addr, v->given_by);
    (void)err_detail(e, "%s", words);
    if (v->method->is_given)
        return err_hint(e, "log in again with the program that writes that file");
    return err_hint_sh(e, "unset %s", v->given_by);
}

/* --- a stored token */

static bool is_ending(const struct vault_token *t)
{
    return t->expires_at && t->expires_at <= time(NULL) + VAULT_MARGIN;
}

/* Asks Vault whether the token is valid. Returns 0 if it can be used, 1 if not, -1 on error. */
static int ask_about(struct vault *v, int64_t deadline, struct err *e)
{
    int known = vault_token_look_up(v, deadline, e);

    if (known < 0)
        return -1;
    if (known == 0) {
        vault_token_keep(v, false, deadline);
        return 0;
    }
    /* A policy may deny the lookup. A token from the environment or a file is then used anyway, and reading
     * the credential will show whether it is valid. */
    bool goes_on = v->given && !v->wants_login;
    log_step("login", "%s", e->msg);
    if (v->given && !goes_on)
        return vault_given_refused(v, e);
    err_clear(e);
    return goes_on ? 0 : 1;
}

/* Returns as vault_token_find(), but a keychain that fails has no token. */
static int find_kept(struct vault *v, int64_t deadline, struct err *e)
{
    bool is_given = v->given || v->method->is_given;
    int found = v->wants_login && !is_given ? 0 : vault_token_find(v, deadline, e);

    if (found >= 0 || is_given)
        return found;
    log_step("keychain", "%s", e->msg);
    err_clear(e);
    return 0;
}

/* Returns 0 if v->token can be used, 1 if a login is needed, -1 on error. */
static int use_kept(struct vault *v, int64_t deadline, struct err *e)
{
    int found = find_kept(v, deadline, e);

    if (found <= 0)
        return found < 0 ? -1 : 1;
    if (!v->wants_login && vault_lease_find(v, deadline) && vault_lease_is_good(&v->lease))
        return 0;
    bool is_known = v->token.from == VAULT_FROM_SESSION || (v->given && v->token.ttl);
    int asked = is_known && !v->wants_login ? 0 : ask_about(v, deadline, e);
    if (asked != 0)
        return asked;
    vault_token_renew(v, deadline);
    return is_ending(&v->token) && !v->given ? 1 : 0;
}

/* --- a new login */

static int not_logged_in(const struct vault *v, struct err *e)
{
    return err_set(e, ERR_LOGIN, "not logged in to %s", v->addr);
}

static bool has_person(const struct vault *v)
{
    switch (v->method->person) {
    case VAULT_PERSON_ASKED:
        return tty_can_ask();
    case VAULT_PERSON_BROWSES:
        return v->may_log_in;
    default:
        return true;
    }
}

/* Returns whether another process has logged in while this one waited for the lock. */
static bool has_another(struct vault *v, const char *refused, int64_t deadline)
{
    char digest[33];

    if (v->wants_login || !vault_token_find_session(v, deadline))
        return false;
    vault_token_digest(&v->token, digest);
    return !text_equal(digest, refused) && !is_ending(&v->token);
}

int vault_log_in(struct vault *v, const char *refused, int64_t deadline, struct err *e)
{
    char name[33];
    struct vault_token token = {0};
    AUTO_LOCK(lock);

    vault_token_lock_name(v, name);
    if (!has_person(v))
        return not_logged_in(v, e);
    if (file_lock_or_none(name, NULL, deadline, &lock, e) < 0)
        return -1;
    if (has_another(v, refused, deadline))
        return 0;
    if (v->method->login(v, deadline, &token, e) < 0) {
        vault_token_clear(&token);
        return -1;
    }
    vault_token_clear(&v->token);
    v->token = token;
    if (!token.ttl && !token.is_batch && vault_token_look_up(v, deadline, e) != 0)
        return -1;
    v->has_logged_in = v->method->person != VAULT_PERSON_NONE;
    vault_token_keep(v, !v->token.is_batch, deadline);
    return 0;
}

int vault_sign_in(struct vault *v, int64_t deadline, struct err *e)
{
    int kept = use_kept(v, deadline, e);
    return kept <= 0 ? kept : vault_log_in(v, "", deadline, e);
}
