/* SPDX-License-Identifier: MIT */
/*
 * Logs out: revokes the token, and Vault then deletes the users created with it. Of a token from the
 * environment or a file, and if the token cannot be revoked, only the leases made with it are revoked. The
 * default policy denies that; then a message tells when a user expires.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "lease.h"
#include "method.h"
#include "path.h"
#include "token.h"

/* Returns as vault_token_find(), but without the file of vault_token_file there is nothing to revoke. */
static int find_token(struct vault *v, int64_t deadline, struct err *e)
{
    bool has_file = v->given || !v->method->is_given || access(v->token_file, F_OK) == 0 || errno != ENOENT;

    return has_file ? vault_token_find(v, deadline, e) : 0;
}

/* Sets *is_denied if the token stays valid because a policy denies revoking it. */
static int revoke_token(struct vault *v, int64_t deadline, bool *is_denied, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    struct vault_refusal why;
    const struct vault_call call = {
        .method = "PUT", .path = "auth/token/revoke-self", .token = v->token.value};

    if (vault_call(v, &call, false, deadline, &answer, &why, e) == 0)
        return 0;
    /* If Vault no longer knows the token, there is nothing to revoke. */
    if (why.status == 403 && strstr(why.words, "invalid token"))
        return 0;
    *is_denied = why.status == 403;
    return -1;
}

static void note_left(const char *what, const char *name, time_t end, const struct err *e)
{
    AUTO_BUF(life, 64);

    clock_format_duration(&life, (int64_t)(end - time(NULL)) * 1000);
    log_note("cannot revoke %s%s (%s); it %s%s", what, name, e->msg, end ? "ends in " : "may still be valid",
             end ? buf_str(&life) : "");
}

static void revoke_lease(const struct vault *v, int64_t deadline)
{
    struct err e = ERR_INIT;
    struct vault_refusal why;

    if (v->lease.id && vault_lease_revoke(v, deadline, &why, &e) < 0)
        note_left("the database user ", v->lease.user, v->lease.expires_at, &e);
}

/* Finds the entry of a user's lease. Returns its identity (malloced), or NULL. */
static char *find_user(struct vault *v, const char *user, int64_t deadline)
{
    AUTO_WORDS(identities);

    vault_lease_list(v, deadline, &identities);
    for (size_t i = 0; i < identities.count; i++) {
        if (vault_lease_load(v, identities.word[i], deadline) && text_equal(v->lease.user, user))
            return mem_strdup(identities.word[i]);
    }
    return NULL;
}

int vault_end_user(struct vault *v, const char *user, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, identity);
    struct vault_refusal why = {0};
    int found = find_token(v, deadline, e);

    if (found <= 0)
        return found;
    identity = find_user(v, user, deadline);
    if (!identity && !vault_path_is_static(v->path)) {
        (void)err_set(e, ERR_REFUSED, "cannot revoke the database user %s: its lease is not cached", user);
        return err_hint(e, "Vault drops the user when the lease ends");
    }
    if (!identity || !v->lease.id)
        return 0;
    if (vault_lease_revoke(v, deadline, &why, e) < 0) {
        (void)err_prefix(e, "cannot revoke the database user %s", user);
        return why.status == 403 ? err_hint(e, "ask for a policy that allows update on sys/leases/revoke")
                                 : -1;
    }
    (void)vault_lease_forget(identity, deadline);
    return 0;
}

/* Removes the entries of all leases; if `revokes`, revokes the leases first. Returns the number of entries.
 */
static unsigned forget_leases(struct vault *v, bool revokes, int64_t deadline)
{
    AUTO_WORDS(identities);
    unsigned n = 0;

    vault_lease_list(v, deadline, &identities);
    for (size_t i = 0; i < identities.count; i++) {
        if (revokes && vault_lease_load(v, identities.word[i], deadline))
            revoke_lease(v, deadline);
        n += vault_lease_forget(identities.word[i], deadline);
    }
    return n;
}

/* Revokes the tokens of earlier logins, and Vault then deletes their users. Returns the number of entries. */
static unsigned end_former(struct vault *v, int64_t deadline)
{
    AUTO_WORDS(identities);
    bool is_denied;
    unsigned n = 0;

    vault_token_list_former(v, deadline, &identities);
    for (size_t i = 0; i < identities.count; i++) {
        struct err e = ERR_INIT;
        if (!vault_token_take_former(v, identities.word[i], deadline))
            continue;
        if (!v->token.is_batch && revoke_token(v, deadline, &is_denied, &e) < 0)
            note_left("the token of an earlier login", "", v->token.expires_at, &e);
        n++;
    }
    return n;
}

int vault_sign_out(struct vault *v, int64_t deadline, unsigned *forgotten, struct err *e)
{
    struct err of_vault = ERR_INIT;
    unsigned tokens = 0;
    int found = find_token(v, deadline, e);

    *forgotten = 0;
    if (found <= 0)
        return found;
    bool is_ours = v->token.from != VAULT_FROM_GIVEN, revokes = !is_ours || v->token.is_batch;
    if (!revokes && revoke_token(v, deadline, &revokes, &of_vault) < 0)
        note_left("the token", "", v->token.expires_at, &of_vault);
    *forgotten = forget_leases(v, revokes, deadline);
    int result = vault_token_forget(v, deadline, &tokens, e);
    *forgotten += (is_ours && tokens) + end_former(v, deadline);
    return result;
}
