/* SPDX-License-Identifier: MIT */
/*
 * Each credential is an entry of its own, with protocol, host, path and user in its name. So two processes
 * can store different credentials at once, and users can see and delete each entry in the desktop's keychain
 * program. The entry for a request is chosen by name; only matching entries are read.
 */
#include <session/entries.h>

#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <session/audit.h>

#define STORE_MS 30000
/* long enough for hundreds of processes that write at once */
#define LOCK_MS 300000

int64_t entries_deadline(void)
{
    return clock_deadline(STORE_MS, CLOCK_NEVER);
}

int entries_lock(const char *prefix, struct file_lock *lock, struct err *e)
{
    char hash[33];

    text_hash(prefix, strlen(prefix), hash);
    return file_lock_or_none(hash, "another broker process that writes there",
                             clock_deadline(LOCK_MS, CLOCK_NEVER), lock, e);
}

void entries_release(struct entries *s)
{
    config_free(s->config);
    s->config = NULL;
}

int entries_audit(const struct entries *s, const char *protocol, const char *endpoint, const char *user,
                  time_t expires, struct err *e)
{
    AUTO_FREE(char *, provider);

    provider = mem_printf("%s:%s", protocol, s->store->name);
    const struct audit_line line = {
        .endpoint = endpoint, .user = user, .provider = provider, .expires = expires};
    return audit_write(s->config, &line, e);
}

/* --- listing the names --- */

struct listing {
    struct words *names;
    time_t *expires;
};

static void take_name(void *context, const char *identity, const char *label, time_t expires)
{
    struct listing *list = context;

    (void)label;
    words_add(list->names, identity);
    list->expires = mem_grow(list->expires, list->names->count, sizeof *list->expires);
    list->expires[list->names->count - 1] = expires;
}

/* Treats a missing store as empty; other failures are errors. */
static int absent_is_empty(enum store_result result, struct err *e)
{
    if (result == STORE_FAILED)
        return -1;
    if (result == STORE_UNAVAILABLE)
        log_step("store", "%s", e->msg);
    err_clear(e);
    return 0;
}

int entries_names(const struct store *store, const char *prefix, struct words *names, time_t **expires,
                  struct err *e)
{
    struct listing list = {.names = names};
    int result = absent_is_empty(store->list(prefix, take_name, &list, entries_deadline(), e), e);

    if (expires)
        *expires = list.expires;
    else
        free(list.expires);
    return result;
}

/* --- reading entries --- */

/* Returns 1 if the entry was read, 0 if it has been deleted in the meantime, -1 on error. */
static int read_entry(const struct store *store, const char *identity, struct git_credential *out,
                      struct err *e)
{
    AUTO_SECRET(text);
    enum store_result got = store->get(identity, entries_deadline(), &text, e);

    if (got != STORE_OK)
        return absent_is_empty(got, e);
    if (!git_identity_parse(identity, out) || git_parse(secret_bytes(text), secret_len(text), out, e) < 0) {
        err_clear(e);
        return 0;
    }
    return 1;
}

static void drop(struct secret **s)
{
    secret_free(*s);
    *s = NULL;
}

/* Drops expired secrets and those that the caller does not support; returns false if none is left. */
static bool keep_what_is_good(const struct git_credential *query, struct git_credential *found)
{
    if (found->expires && found->expires <= time(NULL)) {
        drop(&found->password);
        drop(&found->credential);
        found->expires = 0;
        return found->refresh_token != NULL;
    }
    if (query->can_authtype && found->authtype)
        return true;
    drop(&found->credential);
    free(found->authtype);
    found->authtype = NULL;
    return found->password != NULL;
}

static bool name_matches(const struct git_credential *query, const char *identity)
{
    AUTO_GIT(named);

    return git_identity_parse(identity, &named) && git_matches(query, &named);
}

/* Returns the index of the matching entry not yet seen that expires last (the newest, if all have the same
 * lifetime); -1 if there is none. */
static long pick(const struct git_credential *query, const struct words *names, const time_t *expires,
                 const bool *seen)
{
    long best = -1;

    for (size_t i = 0; i < names->count; i++) {
        if (!seen[i] && name_matches(query, names->word[i]) && (best < 0 || expires[i] > expires[best]))
            best = (long)i;
    }
    return best;
}

int entries_get(const struct entries *s, const struct git_credential *query, struct git_credential *found,
                struct err *e)
{
    AUTO_FREE(char *, prefix);
    AUTO_FREE(time_t *, expires);
    AUTO_FREE(bool *, seen);
    AUTO_WORDS(names);
    long at;

    prefix = git_identity_prefix(query);
    if (entries_names(s->store, prefix, &names, &expires, e) < 0)
        return -1;
    seen = mem_alloc(names.count + 1, sizeof *seen);
    while ((at = pick(query, &names, expires, seen)) >= 0) {
        AUTO_GIT(entry);
        seen[at] = true;
        int got = read_entry(s->store, names.word[at], &entry, e);
        if (got < 0)
            return -1;
        if (got == 0 || !keep_what_is_good(query, &entry))
            continue;
        *found = entry;
        entry = (struct git_credential){0};
        return 1;
    }
    return 0;
}

/* --- writing entries --- */

/* Returns the parts of an entry that are not in its name: its secrets and their expiry. The pointers are
 * borrowed. */
static struct git_credential secrets_of(const struct git_credential *entry)
{
    return (struct git_credential){.authtype = entry->authtype,
                                   .credential = entry->credential,
                                   .password = entry->password,
                                   .refresh_token = entry->refresh_token,
                                   .expires = entry->expires};
}

/* Returns the text that keychain programs show for the entry; parts that are not printable stay encoded. */
static char *label_of(const struct git_credential *entry, const char *identity)
{
    AUTO_FREE(char *, who);

    who = git_label(entry);
    return mem_strdup(*who && text_is_plain_line(who) ? who : identity);
}

/* Returns when the entry expires in the store: after the configured life or, unless it can be refreshed, with
 * its password. */
static time_t end_of(const struct entries *s, const struct git_credential *entry)
{
    time_t end = s->life ? time(NULL) + s->life : 0;

    if (entry->expires && !entry->refresh_token && (!end || entry->expires < end))
        end = entry->expires;
    return end;
}

static int write_entry(const struct entries *s, const struct git_credential *entry, const char *identity,
                       struct err *e)
{
    struct git_credential secrets = secrets_of(entry);
    AUTO_BUF(text, 4 * GIT_LINE_MAX);
    AUTO_FREE(char *, label);
    AUTO_SECRET(value);

    if (git_print(&secrets, &text, e) < 0)
        return -1;
    if (strlen(identity) > STORE_IDENTITY_MAX || !buf_ok(&text) || text.len > SECRET_MAX) {
        (void)err_set(e, ERR_DATA, "too long to store");
        return err_hint(e, "the limit is %d bytes of secrets, and %d of host, path and user", SECRET_MAX,
                        STORE_IDENTITY_MAX);
    }
    label = label_of(entry, identity);
    value = secret_from(buf_str(&text), text.len);
    enum store_result put = s->store->put(identity, label, value, end_of(s, entry), entries_deadline(), e);
    if (put == STORE_UNAVAILABLE && s->store == &store_keychain) {
        (void)err_prefix(e, "no keychain here");
        return err_hint(e, "--store keyring keeps it in memory: git config credential.helper 'broker --store "
                           "keyring'");
    }
    return put == STORE_OK ? 0 : -1;
}

/* Erases all matching entries except the one named `except`; with `checked`, only those that have the query's
 * secrets. */
static int erase_matches(const struct entries *s, const struct git_credential *query, const char *prefix,
                         const char *except, bool checked, struct err *e)
{
    AUTO_WORDS(names);

    if (entries_names(s->store, prefix, &names, NULL, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_GIT(entry);
        if (text_equal(names.word[i], except) || !name_matches(query, names.word[i]))
            continue;
        int got = checked ? read_entry(s->store, names.word[i], &entry, e) : 1;
        if (got < 0)
            return -1;
        if (got == 0 || (checked && !git_same_secrets(query, &entry)))
            continue;
        if (absent_is_empty(s->store->erase(names.word[i], entries_deadline(), e), e) < 0)
            return -1;
    }
    return 0;
}

int entries_put(const struct entries *s, const struct git_credential *entry, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, prefix);
    AUTO_LOCK(lock);
    bool is_pair = entry->username && entry->password, is_token = entry->authtype && entry->credential;
    bool is_over = entry->expires && entry->expires <= time(NULL) && !entry->refresh_token;

    if (!entry->protocol || !entry->host || entry->ephemeral || is_over || (!is_pair && !is_token))
        return 0;
    /* The client has sent back the state that we gave it, so the password is unchanged and in the keychain
     * already. */
    if (entry->has_state && s->store == &store_keychain)
        return 0;
    identity = git_identity(entry);
    prefix = git_identity_prefix(entry);
    if (entries_lock(prefix, &lock, e) < 0 || write_entry(s, entry, identity, e) < 0)
        return -1;
    return entry->username ? erase_matches(s, entry, prefix, identity, false, e) : 0;
}

int entries_erase(const struct entries *s, const struct git_credential *query, struct err *e)
{
    AUTO_FREE(char *, prefix);
    AUTO_LOCK(lock);

    if (!query->protocol && !query->host && !query->path && !query->username)
        return 0;
    prefix = git_identity_prefix(query);
    if (entries_lock(prefix, &lock, e) < 0)
        return -1;
    return erase_matches(s, query, prefix, NULL, query->password || query->credential, e);
}

int entries_forget(const struct entries *s, const char *prefix, struct err *e)
{
    AUTO_WORDS(names);

    if (entries_names(s->store, prefix, &names, NULL, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        if (absent_is_empty(s->store->erase(names.word[i], entries_deadline(), e), e) < 0)
            return -1;
    }
    return 0;
}
