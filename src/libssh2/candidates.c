/* SPDX-License-Identifier: MIT */
/*
 * The keys to offer, in ssh's order: the tunnel's own `identity`; the agent's keys that are also in a file;
 * the agent's other keys (unless IdentitiesOnly); keys that are only in a file. A rejected key counts against
 * the server's MaxAuthTries, so each key is offered once.
 */
#include "login.h"
#include "methods.h"

#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <ssh/wire_format.h>

#define AGENT_LIST_MS 5000

static bool same_key(const struct ssh_key *a, const struct ssh_key *b)
{
    return a->blob.len && a->blob.len == b->blob.len && memcmp(a->blob.data, b->blob.data, a->blob.len) == 0;
}

/* Returns the place of the same key in a list, or NULL if it is not there. */
static struct ssh_key **find_key(const struct ssh_keys *keys, const struct ssh_key *key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->key[i] && same_key(keys->key[i], key))
            return &keys->key[i];
    }
    return NULL;
}

static void load_files(const struct ssh_settings *settings, struct ssh_keys *out)
{
    for (size_t i = 0; i < settings->identity_files.count; i++) {
        const char *path = settings->identity_files.word[i];
        AUTO_FREE(char *, shown);
        struct ssh_key *key;
        struct err e = ERR_INIT;
        int result = ssh_key_load(path, &key, &e);
        shown = path_short(path);
        if (result < 0)
            log_warn(*e.hint ? e.hint : NULL, "%s: %s", shown, e.msg);
        else if (result > 0 && i == 0 && settings->identity_given)
            log_warn(NULL, "%s: no such file", shown);
        else if (result == 0 && find_key(out, key))
            ssh_key_free(key);
        else if (result == 0)
            ssh_keys_add(out, key);
    }
}

/* Moves a key from its place to the end of a list, or frees it if `to` is NULL. */
static void move_key(struct ssh_keys *to, struct ssh_key **place)
{
    if (*place && to)
        ssh_keys_add(to, *place);
    else
        ssh_key_free(*place);
    *place = NULL;
}

static void move_keys(struct ssh_keys *to, struct ssh_keys *from)
{
    for (size_t i = 0; i < from->count; i++)
        move_key(to, &from->key[i]);
    ssh_keys_release(from);
}

/* The modulus is the third part of the blob, RFC 4253 section 6.6. */
static unsigned rsa_bits(const struct ssh_key *key)
{
    const unsigned char *at = (const unsigned char *)key->blob.data, *end = at + key->blob.len, *part = at;
    size_t length = 0;

    for (int i = 0; i < 3; i++) {
        if (!wire_string(&at, end, &part, &length))
            return 0;
    }
    return 8 * (unsigned)(length - (length && !*part));
}

/* Checks RequiredRSASize and PubkeyAcceptedAlgorithms. */
static bool is_allowed(const struct ssh_settings *settings, const struct ssh_key *key)
{
    const char *name = ssh_key_is_rsa(key) ? "rsa-sha2-512" : key->type;

    if (ssh_key_is_rsa(key) && rsa_bits(key) < settings->rsa_bits)
        return false;
    return !settings->pubkey_algorithms || !*key->type || list_has(settings->pubkey_algorithms, name);
}

static void warn_half(const struct ssh_key *key)
{
    AUTO_FREE(char *, shown);
    AUTO_BUF(mend, 4200);

    shown = path_short(key->name);
    ssh_key_mend_half(key, &mend);
    log_warn(buf_str(&mend), "%s: a public key, and the ssh agent does not have its private key", shown);
}

static void candidates_order(struct ssh_session *s)
{
    struct ssh_login *l = s->login;
    struct credentials *c = s->credentials;
    struct ssh_keys files = c->keys, out = {0};

    for (size_t i = 0; i < files.count; i++) {
        struct ssh_key **file = &files.key[i], **agents = find_key(&l->from_agent, *file);
        bool given = i == 0 && s->settings->identity_given &&
                     text_equal((*file)->name, s->settings->identity_files.word[0]);
        if (given && !agents && (*file)->half)
            warn_half(*file);
        if (agents)
            move_key(&out, agents);
        if (agents || (*file)->half)
            move_key(NULL, file);
        else if (given)
            move_key(&out, file);
    }
    move_keys(s->settings->identities_only ? NULL : &out, &l->from_agent);
    move_keys(&out, &files);
    for (size_t i = out.count; i-- > 0;) {
        if (!is_allowed(s->settings, out.key[i]))
            ssh_keys_remove(&out, i);
    }
    c->keys = out;
    c->gathered = true;
}

static void agent_has(void *context, const unsigned char *blob, size_t n, const char *comment, size_t length)
{
    struct ssh_login *l = context;
    struct ssh_key *key = ssh_key_in_agent(blob, n, comment, length);

    if (key)
        ssh_keys_add(&l->from_agent, key);
}

static void agent_listed(void *context, const unsigned char *answer, size_t n)
{
    struct ssh_session *s = context;
    struct ssh_login *l = s->login;

    l->agent = NULL;
    if (!answer || !agent_parse_keys(answer, n, agent_has, l))
        log_step("route", "the ssh agent does not answer");
    candidates_order(s);
    l->state = LOGIN_CHOOSE;
    s->resume(s);
}

int candidates_gather(struct ssh_session *s)
{
    struct ssh_login *l = s->login;
    struct credentials *c = s->credentials;
    AUTO_BUF(question, 64);

    ssh_keys_release(&c->keys);
    load_files(s->settings, &c->keys);
    agent_put_list(&question);
    if (s->settings->identity_agent && s->settings->publickey)
        l->agent = agent_ask(s->settings->identity_agent, &question,
                             clock_deadline(AGENT_LIST_MS, s->deadline), agent_listed, s);
    if (!l->agent) {
        candidates_order(s);
        return LOGIN_AGAIN;
    }
    l->state = LOGIN_AGENT;
    return LIBSSH2_ERROR_EAGAIN;
}
