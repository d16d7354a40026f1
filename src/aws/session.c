/* SPDX-License-Identifier: MIT */
/*
 * Session keys, kept between runs in the kernel's keyring. If several processes need the same keys at once,
 * one fetches them and the others wait. The keys of the chain's source alone are not cached, because the
 * source (files, a program, a metadata service) does that itself.
 *
 * An entry is stored under the names in its chain and contains a hash of the proof, which is the credential
 * that the keys were obtained with: an SSO token, the subject of a web identity token, the access key ID that
 * a program printed. If the proof has changed or is gone, the entry is not used. So there is one entry for
 * each name, and `broker logout` finds it without any proof.
 *
 * The format: a version byte, then LABEL ACCOUNT END ID SECRET TOKEN PROOF PLACE, each followed by a NUL.
 * PLACE is the path of the SSO token's file, kept because computing its name needs a helper program.
 */
#include <aws/session.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <aws/source.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <store/fields.h>
#include <store/store.h>

#include "role_cache.h"
#include "walk.h"

#define VERSION '2'
enum { LABEL, ACCOUNT, END, ID, SECRET, TOKEN, PROOF, PLACE, FIELDS };

/* The proof that is stored with the keys. */
struct proof {
    char hash[33];
    char *place;
};

static void proof_release(struct proof *p)
{
    free(p->place);
    p->place = NULL;
}
#define AUTO_PROOF(name) __attribute__((cleanup(proof_release))) struct proof name = {0}

/* Returns whether the keys are cached here: the chain must have a step that creates a session. */
static bool is_kept(const struct aws_chain *chain)
{
    bool is_session = false;

    for (size_t i = 0; i < chain->count; i++) {
        enum aws_kind kind = chain->step[i].kind;
        is_session |= kind == AWS_KIND_assume_role || kind == AWS_KIND_web_identity || kind == AWS_KIND_sso;
    }
    return is_session;
}

static char *label_of(const struct aws_chain *chain)
{
    const struct aws_step *last = &chain->step[chain->count - 1];

    return mem_printf("role/%s", last->role_arn ? aws_role_name(last->role_arn) : last->sso_role);
}

char *aws_session_identity(const struct aws_context *c)
{
    char hash[33];

    chain_identity(c, hash);
    return mem_printf(AWS_SESSION_PREFIX "%s", hash);
}

/* --- the format of an entry */

static struct secret *entry_write(const char *label, const struct proof *proof, const struct aws_keys *keys)
{
    struct secret *entry = secret_new(SECRET_MAX);
    const char version = VERSION;
    char end[32];

    (void)snprintf(end, sizeof end, "%lld", (long long)keys->expires_at);
    if (secret_add(entry, &version, 1) == 0 && fields_add(entry, label) && fields_add(entry, keys->account) &&
        fields_add(entry, end) && fields_add(entry, keys->id) && fields_add_secret(entry, keys->secret) &&
        fields_add_secret(entry, keys->token) && fields_add(entry, proof->hash) &&
        fields_add(entry, proof->place))
        return entry;
    secret_free(entry);
    return NULL;
}

static bool entry_read(const struct secret *entry, struct proof *proof, struct aws_keys *out)
{
    const char *field[FIELDS];
    unsigned long end;

    if (!fields_split(entry, VERSION, field, FIELDS) ||
        !text_number(field[END], (unsigned long)INT64_MAX, &end) || !*field[ID] || !*field[SECRET] ||
        strlen(field[PROOF]) != sizeof proof->hash - 1)
        return false;
    memcpy(proof->hash, field[PROOF], sizeof proof->hash);
    proof->place = *field[PLACE] ? mem_strdup(field[PLACE]) : NULL;
    out->id = mem_strdup(field[ID]);
    out->secret = secret_from(field[SECRET], strlen(field[SECRET]));
    out->token = *field[TOKEN] ? secret_from(field[TOKEN], strlen(field[TOKEN])) : NULL;
    out->account = *field[ACCOUNT] ? mem_strdup(field[ACCOUNT]) : NULL;
    out->expires_at = (time_t)end;
    return true;
}

/* --- storing entries */

static bool is_good(const struct aws_keys *keys, time_t least_life)
{
    return keys->expires_at > time(NULL) + (least_life ? least_life : AWS_SESSION_MARGIN);
}

static bool read_kept(const struct aws_context *c, const char *identity, int64_t deadline,
                      struct aws_keys *out)
{
    struct err ignored = ERR_INIT;
    AUTO_SECRET(entry);
    AUTO_AWS_KEYS(keys);
    AUTO_PROOF(kept);
    char now[33];

    if (store_keyring.get(identity, deadline, &entry, &ignored) != STORE_OK ||
        !entry_read(entry, &kept, &keys) || !is_good(&keys, c->least_life))
        return false;
    if (chain_proof(c, &kept.place, deadline, now) != 0 || !text_equal(now, kept.hash)) {
        log_step("login", "the cached keys belong to another identity, or to a login that has ended");
        return false;
    }
    *out = keys;
    keys = (struct aws_keys){0};
    return true;
}

/* Stores the keys, unless their owner could not be verified later. */
static void keep(const struct aws_context *c, const char *identity, const struct aws_keys *keys,
                 int64_t deadline)
{
    struct err ignored = ERR_INIT;
    AUTO_FREE(char *, label);
    AUTO_FREE(char *, shown);
    AUTO_SECRET(entry);
    AUTO_PROOF(proof);

    if (!is_good(keys, 0) || chain_proof(c, &proof.place, deadline, proof.hash) != 0)
        return;
    label = label_of(&c->chain);
    shown = mem_printf(keys->account ? "%s\taccount %s" : "%s", label, keys->account);
    entry = entry_write(label, &proof, keys);
    if (entry)
        (void)store_keyring.put(identity, shown, entry, keys->expires_at - AWS_SESSION_MARGIN, deadline,
                                &ignored);
}

/* Returns whether the user asked to log in now, even if a session is cached. */
static bool is_wanted(const struct aws_context *c)
{
    return c->login && c->login->is_wanted;
}

/* Fetches the keys, starting with the last step whose keys are known from the AWS CLI's cache or from
 * `base`. */
static int fetch(const struct aws_context *c, struct aws_keys *base, int64_t deadline, struct aws_keys *out,
                 struct err *e)
{
    AUTO_AWS_KEYS(kept);
    size_t first = is_wanted(c) ? 0 : role_cache_find(c, deadline, &kept);

    if (first > 0)
        return chain_walk(c, first, &kept, deadline, out, e);
    return chain_walk(c, base->id ? 1 : 0, base, deadline, out, e);
}

static int get_session(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_AWS_KEYS(base);
    AUTO_LOCK(lock);

    /* A program may return keys of a different user each time, so it is always run first. */
    if (c->chain.step[0].kind == AWS_KIND_credential_process &&
        chain_step(c, 0, NULL, deadline, &base, e) < 0)
        return -1;
    identity = aws_session_identity(c);
    if (!is_wanted(c) && read_kept(c, identity, deadline, out))
        return 0;
    if (file_lock_or_none(identity + strlen(AWS_SESSION_PREFIX), NULL, deadline, &lock, e) < 0)
        return -1;
    if (!is_wanted(c) && read_kept(c, identity, deadline, out))
        return 0;
    if (fetch(c, &base, deadline, out, e) < 0)
        return -1;
    keep(c, identity, out, deadline);
    return 0;
}

int aws_keys_get(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_AWS_KEYS(nothing);
    AUTO_FREE(struct aws_proof *, used);
    struct aws_context noting = *c;

    if (!is_kept(&c->chain))
        return chain_walk(c, 0, &nothing, deadline, out, e);
    noting.used = used = mem_alloc(c->chain.count, sizeof *used);
    return get_session(&noting, deadline, out, e);
}
