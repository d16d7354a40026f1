/* SPDX-License-Identifier: MIT */
/*
 * profile set, remove and rename change the user's config file. Afterwards the profile, and each that
 * inherits from it, must still be usable. A changed profile may be in the system's file: then a section is
 * added to the user's file, which overrides the system's key by key.
 */
#include "profile.h"

#include <stdio.h>
#include <string.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <model/config_edit.h>

/* Checks that a profile name was given; the hint shows the command's form. */
static int need_name(struct invocation *inv, const char *form, struct err *e)
{
    if (!inv->word[1]) {
        (void)err_set(e, ERR_USAGE, "which profile?");
        return err_hint(e, "broker profile %s", form);
    }
    (void)snprintf(inv->label, sizeof inv->label, "%s", inv->word[1]);
    return 0;
}

static void note_changed(const struct config_edit *edit, const char *what, const char *name)
{
    AUTO_FREE(char *, path);

    path = path_short(edit->path);
    log_note("%s [profile %s] in %s", what, name, path);
}

/* --- broker profile set --- */

static int read_settings(struct invocation *inv, struct err *e)
{
    for (size_t i = 2; i < inv->word_count; i++)
        if (invocation_setting(inv, inv->url[i] ? inv->url[i] : inv->word[i], e) < 0)
            return -1;
    if (inv->override_count)
        return 0;
    (void)err_set(e, ERR_USAGE, "which key?");
    return err_hint_sh(e, "broker profile set %s KEY=VALUE", inv->word[1]);
}

/* Refuses the keys of a tunnel: they belong in the tunnel's own section, which other profiles may use. */
static int refuse_tunnel_keys(const struct invocation *inv, struct err *e)
{
    for (size_t i = 0; i < inv->override_count; i++) {
        if (!text_starts(inv->override[i].key, "tunnel."))
            continue;
        (void)err_set(e, ERR_USAGE, "'%s' is a key of the tunnel", inv->override[i].key);
        return err_hint(e, "broker profile edit, or via=ssh://USER@HOST");
    }
    return 0;
}

static bool is_set_elsewhere(const struct config *c, const char *name, const char *key)
{
    AUTO_PROFILE(p);
    struct err ignored = ERR_INIT;

    return config_resolve(c, name, NULL, NULL, 0, &p, &ignored) < 0 ||
           p.set[key_find(key_infos, KEY_COUNT, key)].origin > ORIGIN_DERIVED;
}

/* Makes all changes. For an empty value the line is removed; `KEY=` is written only if another section or the
 * default would supply a value. */
static int set_all(struct config_edit *edit, const char *name, const struct invocation *inv, struct err *e)
{
    for (size_t i = 0; i < inv->override_count; i++) {
        struct override o = inv->override[i];
        bool is_empty = !*o.value;
        AUTO_CONFIG(after);
        if (is_empty)
            o.value = NULL;
        if (config_edit_set(edit, name, &o, 1, e) < 0)
            return -1;
        if (!is_empty)
            continue;
        if (config_edit_load(edit, &after, e) < 0)
            return -1;
        o.value = "";
        if (is_set_elsewhere(after, name, o.key) && config_edit_set(edit, name, &o, 1, e) < 0)
            return -1;
    }
    return 0;
}

/* Checks that a run could use the changed profile. */
static int check_after(const struct config_edit *edit, const char *name, struct err *e)
{
    AUTO_CONFIG(after);
    AUTO_PROFILE(p);

    if (config_edit_load(edit, &after, e) < 0 || config_resolve(after, name, NULL, NULL, 0, &p, e) < 0)
        return -1;
    return plan_derive(&p, e);
}

/* Checks the settings as a run with these overrides would: unknown keys, invalid values, secrets. */
static int check_settings(const struct config_edit *edit, const struct invocation *inv, struct err *e)
{
    AUTO_PROFILE(p);

    return config_resolve(edit->config, inv->word[1], NULL, inv->override, inv->override_count, &p, e);
}

int profile_set(struct invocation *inv, struct err *e)
{
    AUTO_EDIT(edit);
    const char *name = inv->word[1];

    if (need_name(inv, "set NAME KEY=VALUE", e) < 0 || read_settings(inv, e) < 0 ||
        refuse_tunnel_keys(inv, e) < 0 || config_edit_begin(&edit, e) < 0 ||
        check_settings(&edit, inv, e) < 0 || set_all(&edit, name, inv, e) < 0 ||
        check_after(&edit, name, e) < 0 || config_edit_save(&edit, e) < 0)
        return -1;
    note_changed(&edit, "changed", name);
    return 0;
}

/* --- broker profile remove and rename --- */

/* Checks that the profile is in the user's own file; otherwise the error says where it is. */
static int need_own(const struct config_edit *edit, const char *name, struct err *e)
{
    AUTO_PROFILE(p);
    AUTO_FREE(char *, path);
    const char *file;
    unsigned line;

    if (config_profile_is_own(edit->config, name))
        return 0;
    if (!config_profile_place(edit->config, name, &file, &line))
        return config_resolve(edit->config, name, NULL, NULL, 0, &p, e) < 0 ? -1
                                                                            : err_set(e, ERR_BUG, "no place");
    path = path_short(file);
    (void)err_set(e, ERR_CONFIG, "not in your own file, but at %s:%u", path, line);
    return err_hint(e, "edit that file");
}

/* Refuses the change if another profile inherits from the profile `gone`. The error names the line in
 * `where`, or in the changed config if that is NULL. */
static int check_heirs(const struct config_edit *edit, const struct config *where, const char *gone,
                       struct err *e)
{
    AUTO_CONFIG(after);
    AUTO_FREE(char *, place);
    const char *file;
    unsigned line;

    if (config_edit_load(edit, &after, e) < 0)
        return -1;
    if (config_profile_place(after, gone, &file, &line))
        return 0;
    const char *heir = config_heir(where ? where : after, gone, &place);
    if (!heir)
        return 0;
    (void)err_set(e, ERR_CONFIG, "[profile %s] inherits from it, %s", heir, place);
    return err_hint_sh(e, "broker profile set %s inherits=", heir);
}

/* Notes that a section of the same name remains in another file. */
static void note_rest(const struct config_edit *edit, const char *name)
{
    AUTO_CONFIG(after);
    AUTO_FREE(char *, path);
    struct err ignored = ERR_INIT;
    const char *file;
    unsigned line;

    if (config_edit_load(edit, &after, &ignored) < 0 || !config_profile_place(after, name, &file, &line))
        return;
    path = path_short(file);
    log_note("[profile %s] stays in %s:%u", name, path, line);
}

int profile_remove(struct invocation *inv, struct err *e)
{
    AUTO_EDIT(edit);
    const char *name = inv->word[1];

    if (need_name(inv, "remove NAME", e) < 0 || config_edit_begin(&edit, e) < 0 ||
        need_own(&edit, name, e) < 0 || config_edit_remove(&edit, name, e) < 0 ||
        check_heirs(&edit, edit.config, name, e) < 0 || config_edit_save(&edit, e) < 0)
        return -1;
    note_changed(&edit, "removed", name);
    note_rest(&edit, name);
    return 0;
}

/* Refuses to rename a profile that is partly in another file, because that part would keep the old name. */
static int check_whole(const struct config_edit *edit, const char *name, struct err *e)
{
    AUTO_CONFIG(after);
    AUTO_FREE(char *, path);
    const char *file;
    unsigned line;

    if (config_edit_load(edit, &after, e) < 0)
        return -1;
    if (!config_profile_place(after, name, &file, &line))
        return 0;
    path = path_short(file);
    (void)err_set(e, ERR_CONFIG, "has keys at %s:%u too", path, line);
    return err_hint(e, "rename it in each file by hand");
}

int profile_rename(struct invocation *inv, struct err *e)
{
    AUTO_EDIT(edit);
    const char *from = inv->word[1], *to = inv->word[2];

    if (need_name(inv, "rename NAME NEW-NAME", e) < 0)
        return -1;
    if (!to) {
        (void)err_set(e, ERR_USAGE, "no new name given");
        return err_hint_sh(e, "broker profile rename %s NEW-NAME", from);
    }
    if (config_edit_begin(&edit, e) < 0 || need_own(&edit, from, e) < 0 ||
        config_edit_check_name(edit.config, to, false, e) < 0 || config_edit_rename(&edit, from, to, e) < 0 ||
        check_whole(&edit, from, e) < 0 || check_heirs(&edit, NULL, from, e) < 0 ||
        config_edit_save(&edit, e) < 0)
        return -1;
    AUTO_FREE(char *, path);
    path = path_short(edit.path);
    log_note("renamed [profile %s] to [profile %s] in %s", from, to, path);
    return 0;
}
