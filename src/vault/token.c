/* SPDX-License-Identifier: MIT */
/*
 * Vault tokens. The session store (the kernel's keyring, where a token expires) is tried first. A token in
 * the keychain may have been revoked since, so Vault is asked about it. Nothing is ever written to
 * ~/.vault-token.
 *
 * An entry of the session store consists of a version and TOKEN END TTL RENEWABLE BATCH, each followed by a
 * NUL; an entry of the keychain is the token alone.
 */
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <store/fields.h>
#include <store/store.h>

#include "method.h"

#define VERSION '1'
#define IDENTITY_MOST 16384
enum { TOKEN, END, TTL, RENEWABLE, BATCH, FIELDS };

void vault_token_clear(struct vault_token *t)
{
    secret_free(t->value);
    *t = (struct vault_token){0};
}

const char *vault_token_fault(const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == ' ')
            return "a space";
        if (c < ' ' || c == 127)
            return "a control character";
        if (c > 127)
            return "a character that is not ASCII";
    }
    return NULL;
}

/* --- identity */

static void add_part(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, "|%s=", name);
    text_percent_encode(out, value, strlen(value));
}

/* The identity contains a hash instead of the token, because the names of keys are visible in lists. */
static char *given_identity(const struct vault *v)
{
    AUTO_BUF(out, IDENTITY_MOST);
    char hash[33];

    text_hash(secret_bytes(v->given), secret_len(v->given), hash);
    buf_printf(&out, VAULT_TOKEN_PREFIX "%s", v->addr);
    add_part(&out, "namespace", v->space);
    add_part(&out, "token", hash);
    return buf_take(&out);
}

char *vault_token_identity(const struct vault *v)
{
    AUTO_BUF(out, IDENTITY_MOST);
    AUTO_FREE(char *, who);
    bool is_oidc = text_equal(v->method->name, "oidc");

    if (v->given)
        return given_identity(v);
    buf_printf(&out, VAULT_TOKEN_PREFIX "%s", v->addr);
    add_part(&out, is_oidc ? "oidc_mount" : "mount", v->mount);
    add_part(&out, "namespace", v->space);
    add_part(&out, "role", v->role);
    add_part(&out, "method", is_oidc ? NULL : v->method->name);
    who = v->method->who ? v->method->who(v) : NULL;
    add_part(&out, "user", who);
    return buf_take(&out);
}

void vault_token_lock_name(const struct vault *v, char out[33])
{
    AUTO_FREE(char *, identity);

    identity = vault_token_identity(v);
    text_hash(identity, strlen(identity), out);
}

void vault_token_digest(const struct vault_token *t, char out[33])
{
    text_hash(secret_bytes(t->value), secret_len(t->value), out);
}

/* --- storing tokens */

static struct secret *entry_write(const struct vault_token *t)
{
    struct secret *entry = secret_new(SECRET_MAX);
    const char version = VERSION;
    char end[32], ttl[32];

    (void)snprintf(end, sizeof end, "%lld", (long long)t->expires_at);
    (void)snprintf(ttl, sizeof ttl, "%lu", t->ttl);
    if (secret_add(entry, &version, 1) == 0 && fields_add_secret(entry, t->value) && fields_add(entry, end) &&
        fields_add(entry, ttl) && fields_add(entry, t->is_renewable ? "y" : "n") &&
        fields_add(entry, t->is_batch ? "y" : "n"))
        return entry;
    secret_free(entry);
    return NULL;
}

static bool entry_read(const struct secret *entry, struct vault_token *out)
{
    const char *field[FIELDS];
    unsigned long end, ttl;

    if (!fields_split(entry, VERSION, field, FIELDS) || !*field[TOKEN] ||
        !text_number(field[END], (unsigned long)INT64_MAX, &end) ||
        !text_number(field[TTL], (unsigned long)INT64_MAX, &ttl) || (end && (time_t)end <= time(NULL)))
        return false;
    *out = (struct vault_token){.value = secret_from(field[TOKEN], strlen(field[TOKEN])),
                                .from = VAULT_FROM_SESSION,
                                .expires_at = (time_t)end,
                                .ttl = ttl,
                                .is_renewable = *field[RENEWABLE] == 'y',
                                .is_batch = *field[BATCH] == 'y'};
    return true;
}

/* Recognises batch tokens by their prefix; these can be neither renewed nor revoked. */
static bool is_batch(const struct secret *token)
{
    return text_starts(secret_bytes(token), "hvb.") || text_starts(secret_bytes(token), "b.");
}

bool vault_token_find_session(struct vault *v, int64_t deadline)
{
    AUTO_FREE(char *, identity);
    AUTO_SECRET(entry);
    struct err ignored = ERR_INIT;
    struct vault_token found = {0};

    identity = vault_token_identity(v);
    if (store_keyring.get(identity, deadline, &entry, &ignored) != STORE_OK || !entry_read(entry, &found))
        return false;
    vault_token_clear(&v->token);
    v->token = found;
    return true;
}

/* Returns as vault_token_find(). */
static int find_keychain(struct vault *v, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_SECRET(found);

    identity = vault_token_identity(v);
    enum store_result result = store_keychain.get(identity, deadline, &found, e);
    if (result == STORE_UNAVAILABLE) {
        log_step("keychain", "%s", e->msg);
        err_clear(e);
    }
    if (result != STORE_OK || secret_len(found) == 0 || vault_token_fault(secret_bytes(found)))
        return result == STORE_FAILED ? -1 : 0;
    vault_token_clear(&v->token);
    v->token = (struct vault_token){.value = found, .from = VAULT_FROM_KEYCHAIN, .is_batch = is_batch(found)};
    found = NULL;
    return 1;
}

/* Reads the token of the method token-file; it is then treated like one from a variable. */
static int read_given(struct vault *v, int64_t deadline, struct err *e)
{
    struct vault_token token = {0};

    if (v->given || !v->method->is_given)
        return 0;
    if (v->method->login(v, deadline, &token, e) < 0)
        return -1;
    v->given = token.value;
    v->given_by = path_short(v->token_file);
    return 0;
}

static void take_given(struct vault *v, int64_t deadline)
{
    /* The session store may have the token's expiry. */
    if (!vault_token_find_session(v, deadline))
        v->token.is_batch = is_batch(v->given);
    secret_free(v->token.value);
    v->token.value = secret_from(secret_bytes(v->given), secret_len(v->given));
    v->token.from = VAULT_FROM_GIVEN;
}

int vault_token_find(struct vault *v, int64_t deadline, struct err *e)
{
    if (read_given(v, deadline, e) < 0)
        return -1;
    if (v->given) {
        take_given(v, deadline);
        return 1;
    }
    return vault_token_find_session(v, deadline) ? 1 : find_keychain(v, deadline, e);
}

/* For a token from the environment or a file, only the expiry is stored; the token itself is read there each
 * time. */
static struct secret *session_entry(const struct vault_token *t)
{
    struct vault_token copy = *t;
    AUTO_SECRET(nothing);

    if (t->from != VAULT_FROM_GIVEN)
        return entry_write(t);
    copy.value = nothing = secret_from("-", 1);
    return entry_write(&copy);
}

void vault_token_keep(const struct vault *v, bool lasting, int64_t deadline)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);
    AUTO_SECRET(entry);
    struct err e = ERR_INIT;

    if (v->token.uses)
        return;
    identity = vault_token_identity(v);
    label = mem_printf("%s\t%s", v->addr, v->given ? v->given_by : v->method->name);
    entry = session_entry(&v->token);
    if (entry)
        (void)store_keyring.put(identity, label, entry, v->token.expires_at, deadline, &e);
    if (!lasting || v->given)
        return;
    *strchr(label, '\t') = ' ';
    if (store_keychain.put(identity, label, v->token.value, 0, deadline, &e) != STORE_OK)
        log_step("keychain", "the token is cached for this session only: %s", e.msg);
}

int vault_token_forget(const struct vault *v, int64_t deadline, unsigned *count, struct err *e)
{
    AUTO_FREE(char *, identity);
    struct err ignored = ERR_INIT;

    identity = vault_token_identity(v);
    *count = store_keyring.erase(identity, deadline, &ignored) == STORE_OK;
    if (v->given)
        return 0;
    enum store_result erased = store_keychain.erase(identity, deadline, e);
    *count += erased == STORE_OK;
    if (erased == STORE_FAILED)
        return -1;
    err_clear(e);
    return 0;
}

/* --- calls to Vault about a token */

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
