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
/* Between a token's identity and the digest of an earlier token. */
#define FORMER "|former="
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

static bool load_session(struct vault *v, const char *identity, int64_t deadline)
{
    AUTO_SECRET(entry);
    struct err ignored = ERR_INIT;
    struct vault_token found = {0};

    if (store_keyring.get(identity, deadline, &entry, &ignored) != STORE_OK || !entry_read(entry, &found))
        return false;
    vault_token_clear(&v->token);
    v->token = found;
    return true;
}

bool vault_token_find_session(struct vault *v, int64_t deadline)
{
    AUTO_FREE(char *, identity);

    identity = vault_token_identity(v);
    return load_session(v, identity, deadline);
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

/* After another login, moves the session's token to an entry of its own. */
static void move_former(const struct vault *v, const char *identity, const char *label, int64_t deadline)
{
    AUTO_SECRET(entry);
    AUTO_FREE(char *, former);
    struct err ignored = ERR_INIT;
    struct vault_token old = {0};
    char digest[33];

    if (store_keyring.get(identity, deadline, &entry, &ignored) == STORE_OK && entry_read(entry, &old) &&
        !secret_equal(old.value, v->token.value)) {
        vault_token_digest(&old, digest);
        former = mem_printf("%s" FORMER "%s", identity, digest);
        (void)store_keyring.put(former, label, entry, old.expires_at, deadline, &ignored);
    }
    vault_token_clear(&old);
}

void vault_token_list_former(const struct vault *v, int64_t deadline, struct words *out)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, prefix);
    struct err ignored = ERR_INIT;

    identity = vault_token_identity(v);
    prefix = mem_printf("%s" FORMER, identity);
    (void)store_keyring.list(prefix, store_add_identity, out, deadline, &ignored);
}

bool vault_token_take_former(struct vault *v, const char *identity, int64_t deadline)
{
    struct err ignored = ERR_INIT;
    bool found = load_session(v, identity, deadline);

    return store_keyring.erase(identity, deadline, &ignored) == STORE_OK && found;
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
    if (v->token.from == VAULT_FROM_LOGIN)
        move_former(v, identity, label, deadline);
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
