/* SPDX-License-Identifier: MIT */
/*
 * Makes one profile from the layers, strongest first: overrides, the URL or the sections of the profile and
 * of those that it inherits from, BROKER_* of the environment, [defaults], built-in values. A weaker layer
 * never changes a key that is set. Only sections that are used are checked. The session module checks whether
 * the keys fit each other and this build.
 */
#include <model/config.h>

#include <stdlib.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>
#include <model/url.h>

/*
 * Chooses `auth` if it is not set. Without a user there is no keychain entry to look up, so the URL's
 * password is used, or the client's own option files. A URL's password belongs to this server alone, so it
 * also overrides `auth` of [defaults] and the environment, as if the URL had set it.
 */
static void derive_auth(struct profile *p)
{
    struct setting *auth = &p->set[KEY_auth];
    bool typed = p->password && !profile_str(p, KEY_user);
    bool replaces = p->password && auth->value && auth->origin < ORIGIN_URL;

    if (auth->value && !replaces)
        return;
    setting_clear(auth);
    (void)setting_put(auth,
                      profile_str(p, KEY_user) ? "keychain"
                      : typed                  ? "prompt"
                                               : "client",
                      replaces ? ORIGIN_URL : ORIGIN_DERIVED, typed || replaces ? "URL" : "user", 0);
}

static int apply_named(const struct config *c, const char *name, struct profile *p, struct err *e)
{
    const struct section *s = section_find(c, SECTION_PROFILE, name);

    if (!s) {
        if (section_lex_all(c, e) < 0)
            return -1;
        AUTO_FREE(char *, shown);
        shown = mem_strdup(name);
        url_mask(shown);
        (void)profile_missing(c, name, e);
        return err_what(e, "%.200s", shown);
    }
    p->name = mem_strdup(name);
    return layer_sections(c, s, ORIGIN_FILE, p, e);
}

/* Unsets the URL's keys that could lower security. `cleartext=yes` is kept, because it requires stricter TLS.
 */
static void forget_levels(struct profile *p)
{
    for (size_t k = 0; k < KEY_COUNT; k++) {
        bool raises = k == KEY_cleartext && profile_bool(p, KEY_cleartext);
        if (key_infos[k].url == URL_LEVEL && p->set[k].origin == ORIGIN_URL && !raises)
            setting_clear(&p->set[k]);
    }
}

static void make_absolute(struct setting *s, const struct key_info *info)
{
    char *value = s->value;

    if (info->type != KEY_PATH || !value || *value == '/')
        return;
    s->value = path_absolute(value);
    free(value);
}

/* Makes relative paths absolute. In another folder they name other files, so a relative path must neither
 * identify a stored password or a running forward, nor be printed for another program. */
static void settle_paths(struct profile *p)
{
    bool is_elsewhere = profile_is_tunnelled(p);

    for (size_t k = 0; k < KEY_COUNT; k++) {
        if (k != KEY_socket || !(is_elsewhere || text_equal(p->set[k].value, "auto")))
            make_absolute(&p->set[k], &key_infos[k]);
    }
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        make_absolute(&p->tunnel[k], &tunnel_key_infos[k]);
}

static int finish(const struct config *c, struct profile *p, struct err *e)
{
    if (inherits_follow(c, p, e) < 0 || layer_environment(p, e) < 0)
        return -1;
    if (layer_sections(c, section_find(c, SECTION_DEFAULTS, ""), ORIGIN_DEFAULTS, p, e) < 0)
        return -1;
    if (tunnel_resolve(c, p, e) < 0)
        return -1;
    settle_built_in(p->set, key_infos, KEY_COUNT);
    derive_auth(p);
    settle_paths(p);
    return 0;
}

int config_resolve(const struct config *c, const char *name, const char *url,
                   const struct override *overrides, size_t count, struct profile *p, struct err *e)
{
    if (c->is_missing)
        return config_missing(c, e);
    if (layer_overrides(p, overrides, count, e) < 0)
        return -1;
    if (name && apply_named(c, name, p, e) < 0)
        return -1;
    if (!name && url && layer_url(url, p, e) < 0)
        return -1;
    return finish(c, p, e);
}

int config_resolve_unlowered(const struct config *c, const char *url, const struct override *overrides,
                             size_t count, struct profile *p, struct err *e)
{
    if (layer_overrides(p, overrides, count, e) < 0 || layer_url(url, p, e) < 0)
        return -1;
    forget_levels(p);
    return finish(c, p, e);
}
