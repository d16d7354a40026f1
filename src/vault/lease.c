/* SPDX-License-Identifier: MIT */
/*
 * Leases. An entry consists of a version and DIGEST ID USER PASSWORD MADE END SECONDS RENEWABLE, each
 * followed by a NUL. DIGEST is that of the token: when a token ends, Vault deletes the users created with it,
 * so an entry is only valid for its own token. Vault may change a static role's password at any time, so that
 * is cached for only a few minutes.
 */
#include "lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <store/fields.h>
#include <store/store.h>

#include "path.h"
#include "token.h"

#define VERSION '1'
#define IDENTITY_MOST 32768
#define STATIC_MOST (5 * 60)
/* Vault's documented default for a lease without a duration. */
#define SECONDS_DEFAULT 3600
enum { DIGEST, ID, USER, PASSWORD, MADE, END, SECONDS, RENEWABLE, FIELDS };

void vault_lease_clear(struct vault_lease *l)
{
    free(l->id);
    free(l->user);
    secret_free(l->password);
    *l = (struct vault_lease){0};
}

/* Appends the part of the identity that stands for the token's owner; it does not contain the token. */
static void put_owner(const struct vault *v, struct buf *out)
{
    AUTO_FREE(char *, token);

    token = vault_token_identity(v);
    buf_printf(out, VAULT_LEASE_PREFIX "%s|path=", token + strlen(VAULT_TOKEN_PREFIX));
}

static char *lease_identity(const struct vault *v)
{
    AUTO_BUF(out, IDENTITY_MOST);

    put_owner(v, &out);
    vault_path_encode(&out, v->path);
    return buf_take(&out);
}

void vault_lease_lock_name(const struct vault *v, char out[33])
{
    AUTO_FREE(char *, identity);

    identity = lease_identity(v);
    text_hash(identity, strlen(identity), out);
}

static void time_text(time_t t, char out[32])
{
    (void)snprintf(out, 32, "%lld", (long long)t);
}

static struct secret *entry_write(const struct vault *v)
{
    struct secret *entry = secret_new(SECRET_MAX);
    const struct vault_lease *l = &v->lease;
    const char version = VERSION;
    char digest[33], made[32], end[32], seconds[32];

    vault_token_digest(&v->token, digest);
    time_text(l->made_at, made);
    time_text(l->expires_at, end);
    time_text((time_t)l->seconds, seconds);
    if (secret_add(entry, &version, 1) == 0 && fields_add(entry, digest) && fields_add(entry, l->id) &&
        fields_add(entry, l->user) && fields_add_secret(entry, l->password) && fields_add(entry, made) &&
        fields_add(entry, end) && fields_add(entry, seconds) &&
        fields_add(entry, l->is_renewable ? "y" : "n"))
        return entry;
    secret_free(entry);
    return NULL;
}

static bool take_number(const char *s, unsigned long *out)
{
    return text_number(s, (unsigned long)INT64_MAX, out);
}

/* Parses an entry. The token it was made with must have this digest; NULL: any token. */
static bool entry_read(const struct secret *entry, const char *digest, struct vault_lease *out)
{
    const char *field[FIELDS];
    unsigned long made, end, seconds;

    if (!fields_split(entry, VERSION, field, FIELDS) || (digest && !text_equal(field[DIGEST], digest)) ||
        !take_number(field[MADE], &made) || !take_number(field[END], &end) ||
        !take_number(field[SECONDS], &seconds) || !*field[USER] || !*field[PASSWORD])
        return false;
    *out = (struct vault_lease){.id = *field[ID] ? mem_strdup(field[ID]) : NULL,
                                .user = mem_strdup(field[USER]),
                                .password = secret_from(field[PASSWORD], strlen(field[PASSWORD])),
                                .made_at = (time_t)made,
                                .expires_at = (time_t)end,
                                .seconds = seconds,
                                .is_renewable = *field[RENEWABLE] == 'y'};
    return true;
}

bool vault_lease_is_good(const struct vault_lease *l)
{
    time_t now = time(NULL);

    /* If the clock was set back, the lease must not seem to be valid for longer than it is. */
    return l->user && l->made_at <= now && l->expires_at > now + VAULT_MARGIN;
}

static bool load(struct vault *v, const char *identity, const char *digest, int64_t deadline)
{
    AUTO_SECRET(entry);
    struct err ignored = ERR_INIT;

    vault_lease_clear(&v->lease);
    return store_keyring.get(identity, deadline, &entry, &ignored) == STORE_OK &&
           entry_read(entry, digest, &v->lease);
}

bool vault_lease_load(struct vault *v, const char *identity, int64_t deadline)
{
    return load(v, identity, NULL, deadline);
}

bool vault_lease_find(struct vault *v, int64_t deadline)
{
    AUTO_FREE(char *, identity);
    char digest[33];

    identity = lease_identity(v);
    vault_token_digest(&v->token, digest);
    return load(v, identity, digest, deadline);
}

static time_t kept_until(const struct vault *v)
{
    time_t most = time(NULL) + STATIC_MOST;

    return !v->lease.id && v->lease.expires_at > most ? most : v->lease.expires_at;
}

static void put(const struct vault *v, const char *identity, const struct vault_lease *l,
                const struct secret *entry, time_t until, int64_t deadline)
{
    AUTO_FREE(char *, label);
    struct err ignored = ERR_INIT;

    label = mem_printf("%s\t%s", v->path, l->user);
    (void)store_keyring.put(identity, label, entry, until, deadline, &ignored);
}

/* A session may still use the user whose entry will be replaced. */
static void move_other(const struct vault *v, const char *identity, int64_t deadline)
{
    AUTO_SECRET(entry);
    AUTO_FREE(char *, of_user);
    struct err ignored = ERR_INIT;
    struct vault_lease old = {0};

    if (store_keyring.get(identity, deadline, &entry, &ignored) == STORE_OK &&
        entry_read(entry, NULL, &old) && old.id && !text_equal(old.user, v->lease.user)) {
        of_user = mem_printf("%s|lease=%s", identity, old.id);
        put(v, of_user, &old, entry, old.expires_at, deadline);
    }
    vault_lease_clear(&old);
}

void vault_lease_keep(const struct vault *v, int64_t deadline)
{
    AUTO_FREE(char *, identity);
    AUTO_SECRET(entry);

    if (v->token.uses || kept_until(v) <= time(NULL) + VAULT_MARGIN)
        return;
    identity = lease_identity(v);
    if (v->revokes)
        move_other(v, identity, deadline);
    entry = entry_write(v);
    if (entry)
        put(v, identity, &v->lease, entry, kept_until(v), deadline);
}

bool vault_lease_forget(const char *identity, int64_t deadline)
{
    struct err ignored = ERR_INIT;

    return store_keyring.erase(identity, deadline, &ignored) == STORE_OK;
}

void vault_lease_list(const struct vault *v, int64_t deadline, struct words *out)
{
    AUTO_BUF(prefix, IDENTITY_MOST);
    struct err ignored = ERR_INIT;

    put_owner(v, &prefix);
    (void)store_keyring.list(buf_str(&prefix), store_add_identity, out, deadline, &ignored);
}

/* --- calls to Vault */

/* Sets the expiry. Vault deletes a user together with its token, so it cannot be later than that of the
 * token. */
static void set_end(struct vault *v, unsigned long seconds)
{
    struct vault_lease *l = &v->lease;

    l->seconds = seconds;
    l->expires_at = time(NULL) + (time_t)seconds;
    if (l->id && v->token.expires_at && v->token.expires_at < l->expires_at)
        l->expires_at = v->token.expires_at;
}

static bool is_user(const char *s)
{
    return *s && strlen(s) <= 255 && text_is_plain_line(s);
}

static int take_answer(struct vault *v, struct http_answer *a, struct err *e)
{
    struct vault_lease *l = &v->lease;
    const char *id = http_text(a, 2);

    vault_lease_clear(l);
    if (!is_user(http_text(a, 0)) || !*http_text(a, 1)) {
        (void)err_set(e, ERR_PROTOCOL, "Vault: %s has no user and password", v->path);
        return err_hint(e, "set vault_path = database/creds/ROLE, of a database secrets engine");
    }
    l->user = mem_strdup(http_text(a, 0));
    l->password = vault_take_field(a, 1);
    l->id = *id ? mem_strdup(id) : NULL;
    l->is_renewable = l->id && text_equal(http_text(a, 4), "true");
    l->made_at = time(NULL);
    set_end(v, l->id ? vault_number(a, 3, SECONDS_DEFAULT) : vault_number(a, 5, STATIC_MOST));
    return 0;
}

int vault_lease_read(struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e)
{
    static const char *const want[] = {"data.username",  "data.password", "lease_id",
                                       "lease_duration", "renewable",     "data.ttl"};
    AUTO_HTTP_ANSWER(answer);
    AUTO_BUF(path, 4096);

    vault_path_encode(&path, v->path);
    const struct vault_call call = {.method = "GET",
                                    .path = buf_str(&path),
                                    .token = v->token.value,
                                    .want = want,
                                    .want_count = ARRAY_LEN(want)};
    if (vault_call(v, &call, !vault_path_is_static(v->path), deadline, &answer, why, e) < 0)
        return -1;
    return take_answer(v, &answer, e);
}

/* Calls a function under sys/leases that takes a lease ID. */
static int call_lease(const struct vault *v, const char *path, json_t *body, const char *const *want,
                      size_t wants, int64_t deadline, struct http_answer *answer, struct vault_refusal *why,
                      struct err *e)
{
    const struct vault_call call = {.method = "PUT",
                                    .path = path,
                                    .token = v->token.value,
                                    .body = body,
                                    .want = want,
                                    .want_count = wants};

    return vault_call(v, &call, false, deadline, answer, why, e);
}

bool vault_lease_renew(struct vault *v, int64_t deadline)
{
    static const char *const want[] = {"lease_duration", "renewable"};
    AUTO_HTTP_ANSWER(answer);
    AUTO_JSON(body);
    struct vault_refusal why;
    struct err e = ERR_INIT;

    if (!v->lease.is_renewable || v->lease.expires_at <= time(NULL))
        return false;
    json_use_wiping_memory();
    body = json_pack("{s:s,s:I}", "lease_id", v->lease.id, "increment", (json_int_t)v->lease.seconds);
    if (call_lease(v, "sys/leases/renew", body, want, ARRAY_LEN(want), deadline, &answer, &why, &e) < 0) {
        log_step("credential", "cannot renew the lease: %s", e.msg);
        return false;
    }
    unsigned long seconds = v->lease.seconds;
    set_end(v, vault_number(&answer, 0, 0));
    v->lease.seconds = seconds;
    v->lease.is_renewable = text_equal(http_text(&answer, 1), "true");
    if (!vault_lease_is_good(&v->lease))
        return false;
    log_step("credential", "renewed the lease");
    return true;
}

int vault_lease_revoke(const struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    AUTO_JSON(body);

    json_use_wiping_memory();
    body = json_pack("{s:s}", "lease_id", v->lease.id);
    return call_lease(v, "sys/leases/revoke", body, NULL, 0, deadline, &answer, why, e);
}
