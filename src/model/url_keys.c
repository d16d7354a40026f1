/* SPDX-License-Identifier: MIT */
/* Sets a profile's keys from a URL, and refuses those that a URL may not set. The text is parsed in url.c. */
#include <model/url_parts.h>

#include <stdlib.h>

#include <base/mem.h>
#include <model/kinds.h>

int url_refuse(struct url *u, const char *hint, const char *why)
{
    (void)err_set(u->e, ERR_DATA, "%s", why);
    (void)err_what(u->e, "URL");
    return err_hint(u->e, "%s", hint ? hint : "broker help urls");
}

/* Why a URL may not set a key, by its column `url` in keys.def; NULL: it may. What depends on the rest of the
 * profile is checked in session/url_rule.c. */
static const char *const reasons[URL_UNKNOWN + 1] = {
    [URL_RUNS] = "a URL cannot run a program",
    [URL_SENDS] = "a URL cannot choose what this machine sends",
    [URL_OPENS] = "a URL cannot open files or ports of this machine",
    [URL_BORROWS] = "a URL cannot use what belongs to another server",
};

/* Checks that a URL may set the key. A key that the command line sets is not checked, because it overrides
 * the URL. */
static int check_rule(struct url *u, enum key k, const char *value)
{
    const struct key_info *info = &key_infos[k];
    bool is_provider = k == KEY_auth && *value && kind_provider_url(value) == KIND_URL_NEVER;
    bool is_option = info->type == KEY_TEXT && info->url == URL_PLACE && *value == '-';

    if ((!reasons[info->url] && !is_provider && !is_option) || u->p->set[k].origin == ORIGIN_FLAG)
        return 0;
    if (is_provider)
        (void)err_set(u->e, ERR_DATA, "auth = %s: its secret is not for this server only", value);
    else
        (void)err_set(u->e, ERR_DATA, "%s: %s", info->name,
                      is_option ? "begins with '-', so a program would take it for an option"
                                : reasons[info->url]);
    (void)err_what(u->e, "URL");
    return err_hint(u->e, "-o %s=%s, or a profile", info->name, is_provider ? value : "VALUE");
}

int url_set_key(struct url *u, enum key k, const char *text, const char *from)
{
    struct setting *slot = &u->p->set[k];
    AUTO_FREE(char *, value);

    if (key_check(&key_infos[k], text, &value, u->e) < 0) {
        u->e->code = ERR_DATA;
        return err_what(u->e, "URL");
    }
    if (check_rule(u, k, value ? value : "") < 0)
        return -1;
    if (slot->origin == ORIGIN_URL)
        setting_clear(slot);
    (void)setting_put(slot, value, ORIGIN_URL, from, 0);
    return 0;
}
