/*
 * Session keys between runs: read from the kernel's keyring, and else fetched once for all brokers that want
 * them at that time. Keys of the base alone are not kept here: what gives them (files, a program, a metadata
 * service) keeps them itself.
 *
 * An entry is the version, then LABEL ACCOUNT END ID SECRET TOKEN, each ended by a NUL.
 */
#include <aws/session.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <aws/source.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <store/store.h>

#include "role_cache.h"
#include "walk.h"

#define VERSION '1'
enum { LABEL, ACCOUNT, END, ID, SECRET, TOKEN, FIELDS };

bool aws_session_is_kept(const struct aws_chain *chain)
{
    bool is_session = false;

    /* Containers of one machine may share a keyring, and tell their credentials apart by what is in them. */
    if (chain->step[0].kind == AWS_KIND_container)
        return false;
    for (size_t i = 0; i < chain->count; i++) {
        enum aws_kind kind = chain->step[i].kind;
        is_session |= kind == AWS_KIND_assume_role || kind == AWS_KIND_web_identity || kind == AWS_KIND_sso;
    }
    return is_session;
}

char *aws_session_label(const struct aws_chain *chain)
{
    const struct aws_step *last = &chain->step[chain->count - 1];

    return mem_printf("role/%s", last->role_arn ? aws_role_name(last->role_arn) : last->sso_role);
}

/* --- the form of an entry */

static bool add_field(struct secret *entry, const char *bytes, size_t n)
{
    return !memchr(bytes, '\0', n) && secret_add(entry, bytes, n) == 0 && secret_add(entry, "", 1) == 0;
}

static bool add_text(struct secret *entry, const char *s)
{
    return add_field(entry, s ? s : "", s ? strlen(s) : 0);
}

static bool add_secret(struct secret *entry, const struct secret *s)
{
    return add_field(entry, s ? secret_bytes(s) : "", s ? secret_len(s) : 0);
}

struct secret *aws_session_write(const char *label, const struct aws_keys *keys)
{
    struct secret *entry = secret_new(SECRET_MAX);
    const char version = VERSION;
    char end[32];

    (void)snprintf(end, sizeof end, "%lld", (long long)keys->expires_at);
    if (secret_add(entry, &version, 1) == 0 && add_text(entry, label) && add_text(entry, keys->account) &&
        add_text(entry, end) && add_text(entry, keys->id) && add_secret(entry, keys->secret) &&
        add_secret(entry, keys->token))
        return entry;
    secret_free(entry);
    return NULL;
}

static bool split(const struct secret *entry, const char *field[FIELDS])
{
    const char *at = secret_bytes(entry), *end = at + secret_len(entry);

    if (at == end || *at++ != VERSION)
        return false;
    for (size_t i = 0; i < FIELDS; i++) {
        field[i] = at;
        at = memchr(at, '\0', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    return at == end;
}

bool aws_session_read(const struct secret *entry, char **label, struct aws_keys *out)
{
    const char *field[FIELDS];
    unsigned long end;

    if (!split(entry, field) || !text_number(field[END], (unsigned long)INT64_MAX, &end) || !*field[ID] ||
        !*field[SECRET])
        return false;
    if (label)
        *label = mem_strdup(field[LABEL]);
    out->id = mem_strdup(field[ID]);
    out->secret = secret_from(field[SECRET], strlen(field[SECRET]));
    out->token = *field[TOKEN] ? secret_from(field[TOKEN], strlen(field[TOKEN])) : NULL;
    out->account = *field[ACCOUNT] ? mem_strdup(field[ACCOUNT]) : NULL;
    out->expires_at = (time_t)end;
    return true;
}

/* --- keeping */

static bool is_good(const struct aws_keys *keys)
{
    return keys->expires_at > time(NULL) + AWS_SESSION_MARGIN;
}

static bool read_kept(const char *identity, int64_t deadline, struct aws_keys *out)
{
    struct err ignored = ERR_INIT;
    AUTO_SECRET(entry);
    AUTO_AWS_KEYS(keys);

    if (store_keyring.get(identity, deadline, &entry, &ignored) != STORE_OK ||
        !aws_session_read(entry, NULL, &keys) || !is_good(&keys))
        return false;
    *out = keys;
    keys = (struct aws_keys){0};
    return true;
}

static void keep(const char *identity, const struct aws_chain *chain, const struct aws_keys *keys,
                 int64_t deadline)
{
    struct err ignored = ERR_INIT;
    AUTO_FREE(char *, label);
    AUTO_FREE(char *, shown);
    AUTO_SECRET(entry);

    label = aws_session_label(chain);
    shown = mem_printf(keys->account ? "%s\taccount %s" : "%s", label, keys->account);
    entry = is_good(keys) ? aws_session_write(label, keys) : NULL;
    if (entry)
        (void)store_keyring.put(identity, shown, entry, keys->expires_at - AWS_SESSION_MARGIN, deadline,
                                &ignored);
}

/* Whether a person wants to log in now, whatever is kept. */
static bool is_wanted(const struct aws_context *c)
{
    return c->login && c->login->is_wanted;
}

/* From what the AWS CLI has kept, as far as that leads, and on from there. */
static int fetch(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_AWS_KEYS(start);
    size_t first = is_wanted(c) ? 0 : role_cache_find(c, deadline, &start);

    return chain_walk(c, first, &start, deadline, out, e);
}

int aws_keys_get(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_AWS_KEYS(nothing);
    AUTO_LOCK(lock);
    char hash[33];

    if (!aws_session_is_kept(&c->chain))
        return chain_walk(c, 0, &nothing, deadline, out, e);
    aws_chain_identity(&c->chain, hash);
    identity = mem_printf(AWS_SESSION_PREFIX "%s", hash);
    if (!is_wanted(c) && read_kept(identity, deadline, out))
        return 0;
    if (file_lock(hash, deadline, &lock, e) < 0) {
        if (e->code == ERR_TRY_LATER)
            return -1;
        log_step("lock", "%s", e->msg);
    } else if (!is_wanted(c) && read_kept(identity, deadline, out)) {
        return 0;
    }
    err_clear(e);
    if (fetch(c, deadline, out, e) < 0)
        return -1;
    keep(identity, &c->chain, out, deadline);
    return 0;
}
