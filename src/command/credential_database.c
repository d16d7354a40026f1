/* SPDX-License-Identifier: MIT */
/* A database in git's protocol: either `profile=NAME`, or protocol=mysql with host[:port] and username, which
 * selects the first profile with that server and user. Its provider supplies the password. */
#include "credential.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/mem.h>
#include <model/address.h>
#include <model/identity.h>

#define MYSQL_PORT 3306

/* The protocol is compared without regard to case: otherwise a forwarded helper could ask the password store
 * for "MySQL". */
bool database_is_asked(const struct git_credential *asked)
{
    return asked->profile || asked->keys.count ||
           (asked->protocol && strcasecmp(asked->protocol, "mysql") == 0);
}

/* Returns true if the profile's server is the one in the request. A path in the request is the database. */
static bool is_server(const struct profile *p, const struct git_credential *asked, const char *host,
                      unsigned port)
{
    unsigned own = profile_number(p, KEY_port);

    return text_equal_nocase(profile_str(p, KEY_host), host) && (own ? own : MYSQL_PORT) == port &&
           (!asked->path || text_equal(profile_str(p, KEY_database), asked->path));
}

/* Returns how well a profile matches a user: 2 if it has that user, 1 if the request or the profile names no
 * user, 0 otherwise. */
static int fits_user(const struct profile *p, const char *username)
{
    const char *own = profile_str(p, KEY_user);

    if (!username || !own)
        return 1;
    return text_equal(own, username) ? 2 : 0;
}

/* Returns the name of the profile that matches best, or NULL. Profiles with errors never match. */
static const char *find_by_server(const struct config *c, const struct git_credential *asked)
{
    const char *const *names = config_profile_names(c), *found = NULL;
    AUTO_FREE(char *, host);
    long port = -1;
    int best = 0;

    if (!asked->host || !address_split(asked->host, &host, &port))
        return NULL;
    for (size_t i = 0; names[i] && best < 2; i++) {
        AUTO_PROFILE(p);
        struct err ignored = ERR_INIT;
        if (config_resolve(c, names[i], NULL, NULL, 0, &p, &ignored) < 0 ||
            !is_server(&p, asked, host, port < 0 ? MYSQL_PORT : (unsigned)port))
            continue;
        int fit = fits_user(&p, asked->username);
        if (fit > best) {
            best = fit;
            found = names[i];
        }
    }
    return found;
}

/* The keys of a keeper's request that are not config keys. */
struct keeper_words {
    const char *profile; /* the profile's name in the keeper's run, for messages and the audit log */
    bool fresh, renew;   /* as in struct credential */
};

static bool take_word(const char *key, const char *value, struct keeper_words *out)
{
    if (text_equal(key, "profile"))
        out->profile = value;
    else if (text_equal(key, "fresh"))
        out->fresh = true;
    else if (text_equal(key, "renew"))
        out->renew = true;
    else
        return false;
    return true;
}

/* Returns the effective keys of the keeper's run as overrides, malloced, so that a change of the profile
 * since then has no effect. Splits the strings in `keys` in place. */
static struct override *overrides_of(const struct words *keys, size_t *count, struct keeper_words *words)
{
    struct override *all = mem_alloc(keys->count + 1, sizeof *all);

    *count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        char *equals = strchr(keys->word[i], '=');
        *equals = '\0';
        if (!take_word(keys->word[i], equals + 1, words))
            all[(*count)++] = (struct override){keys->word[i], equals + 1, keys->word[i]};
    }
    return all;
}

static void name_session(const char *profile, struct session *s)
{
    free(s->label);
    free(s->profile.name);
    s->label = mem_strdup(profile);
    s->profile.name = mem_strdup(profile);
}

/* Opens and plans the session for a request. Returns 1 if done, 0 if the request matches no profile. */
static int open_session(const struct git_credential *asked, struct session *s, struct err *e)
{
    AUTO_CONFIG(config);
    AUTO_FREE(struct override *, overrides);
    struct request r = {.name = asked->profile, .verb = "token"};
    struct keeper_words words = {0};

    r.overrides = overrides = overrides_of(&asked->keys, &r.override_count, &words);
    if (!r.name && !r.override_count) {
        if (config_load(&config, e) < 0 || config_found(config, e) < 0)
            return -1;
        r.name = find_by_server(config, asked);
        if (!r.name)
            return 0;
    }
    int opened = session_open(s, &r, e);
    if (words.profile)
        name_session(words.profile, s);
    if (opened < 0 || session_plan(s, FOR_SECRET, NULL, false, e) < 0)
        return err_what(e, "%s", s->label ? s->label : r.name ? r.name : "keeper");
    s->credential.wants_fresh = words.fresh;
    s->credential.wants_renewal = words.renew;
    return 1;
}

int database_get(const struct git_credential *asked, struct git_credential *out, struct err *e)
{
    AUTO_SESSION(s);
    int opened = open_session(asked, &s, e);

    if (opened <= 0 || (s.plan.provider && s.plan.provider->has_no_token))
        return opened < 0 ? -1 : 0;
    if (session_login(&s, e) < 0)
        return err_what(e, "%s", s.label);
    const char *user = s.credential.user ? s.credential.user : profile_str(&s.profile, KEY_user);
    out->username = mem_strdup(user);
    out->password = s.credential.password;
    s.credential.password = NULL;
    out->expires = s.credential.expires_at;
    out->made = asked->keys.count ? s.credential.made_at : 0;
    return 1;
}

/* Returns true if the password is one that the user typed and that is stored in the keychain. */
static bool is_stored(const struct session *s)
{
    return s->plan.provider && s->plan.provider->keep;
}

int database_store(const struct git_credential *asked, struct err *e)
{
    AUTO_SESSION(s);
    int opened = open_session(asked, &s, e);

    if (opened <= 0 || !is_stored(&s) || !asked->password ||
        !text_equal(asked->username, profile_str(&s.profile, KEY_user)))
        return opened < 0 ? -1 : 0;
    const struct credential c = {.password = asked->password};
    return s.plan.provider->keep(&s.profile, &c, entries_deadline(), e);
}

/* Tells the provider that a keeper ends and no longer needs its temporary database user. */
static int give_back(const struct session *s, const char *user, struct err *e)
{
    if (!s->plan.provider || !s->plan.provider->give_back || !user)
        return 0;
    return s->plan.provider->give_back(&s->profile, user, entries_deadline(), e);
}

/* Called if the server refused the password. Deletes what is cached of it, so that a new one is made next
 * time. */
int database_erase(const struct git_credential *asked, struct err *e)
{
    AUTO_SESSION(s);
    AUTO_FREE(char *, identity);
    AUTO_SECRET(kept);
    unsigned forgotten;
    int opened = open_session(asked, &s, e);

    if (opened <= 0)
        return opened;
    if (asked->keys.count)
        return give_back(&s, asked->username, e);
    if (!is_stored(&s))
        return session_sign_out(&s, &forgotten, e);
    identity = identity_password(&s.profile);
    enum store_result got = store_keychain.get(identity, entries_deadline(), &kept, e);
    if (got == STORE_FAILED)
        return -1;
    err_clear(e);
    if (got != STORE_OK || (asked->password && !secret_equal(asked->password, kept)))
        return 0;
    return store_keychain.erase(identity, entries_deadline(), e) == STORE_FAILED ? -1 : 0;
}
