/* SPDX-License-Identifier: MIT */
/* Checks one line of a section: which key it sets, whether the key is allowed there, and whether its value is
 * valid. */
#include <model/config_file.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/url.h>

void found_release(struct found *f)
{
    free(f->value);
    f->value = NULL;
}

/* Returns true for the tunnel keys that [defaults] may set. */
static bool is_shared_tunnel_key(int key)
{
    return key == TUNNEL_identity || key == TUNNEL_ssh_engine || key == TUNNEL_keepalive;
}

/* Finds a key by its exact spelling. Returns NULL if this kind of section has no such key. */
static const struct key_info *find_info(enum section_kind kind, const char *name, struct found *out)
{
    const struct key_info *infos[] = {key_infos, tunnel_key_infos, file_key_infos};
    const size_t counts[] = {KEY_COUNT, TUNNEL_COUNT, FILE_COUNT};

    for (unsigned table = FOUND_PROFILE; table <= FOUND_FILE; table++) {
        int key = key_find(infos[table], counts[table], name);
        bool fits = table == FOUND_PROFILE
                        ? kind == SECTION_PROFILE || (kind == SECTION_DEFAULTS && key != KEY_inherits)
                    : table == FOUND_TUNNEL
                        ? kind == SECTION_TUNNEL || (kind == SECTION_DEFAULTS && is_shared_tunnel_key(key))
                        : kind == SECTION_DEFAULTS;
        if (key < 0 || !fits || strcmp(infos[table][key].name, name) != 0)
            continue;
        out->table = table;
        out->key = key;
        return &infos[table][key];
    }
    return NULL;
}

/* Returns the key of this kind of section that other programs call by this name, or else the most similar
 * one. */
static const char *closest_key(enum section_kind kind, const char *name)
{
    const char *names[(size_t)KEY_COUNT + (size_t)TUNNEL_COUNT + (size_t)FILE_COUNT + 1] = {0};
    size_t n = 0;
    struct found found;
    const char *theirs = url_word_key(name);

    if (theirs && find_info(kind, theirs, &found))
        return theirs;
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (find_info(kind, key_infos[i].name, &found))
            names[n++] = key_infos[i].name;
    for (size_t i = 0; i < TUNNEL_COUNT; i++)
        if (find_info(kind, tunnel_key_infos[i].name, &found) && found.table == FOUND_TUNNEL)
            names[n++] = tunnel_key_infos[i].name;
    for (size_t i = 0; i < FILE_COUNT; i++)
        if (find_info(kind, file_key_infos[i].name, &found))
            names[n++] = file_key_infos[i].name;
    return text_closest(name, names);
}

static int refuse_secret(const struct section *s, const char *key, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "no secrets in this file: '%s'", key);
    if (s->kind == SECTION_DEFAULTS)
        return err_hint(e, "delete the line, then: broker password set NAME");
    return err_hint_sh(e,
                       s->kind == SECTION_TUNNEL ? "delete the line, then: broker password set --tunnel %s"
                                                 : "delete the line, then: broker password set %s",
                       s->name);
}

static int refuse_key(const struct section *s, const char *key, struct err *e)
{
    static const char *const places[] = {"[defaults]", "[profile NAME]", "[tunnel NAME]"};
    struct found found;

    if (key_is_secret(key))
        return refuse_secret(s, key, e);
    (void)err_set(e, ERR_CONFIG, "unknown key '%.80s'", key);
    for (enum section_kind kind = SECTION_DEFAULTS; kind <= SECTION_TUNNEL; kind++) {
        enum section_kind try = (kind + 1) % (SECTION_TUNNEL + 1);
        if (try != s->kind && find_info(try, key, &found))
            return err_hint(e, "it belongs in %s", places[try]);
    }
    const char *meant = closest_key(s->kind, key);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help config");
}

int entry_check(const struct config *c, const struct section *s, const struct ini_event *entry,
                struct found *out, struct err *e)
{
    const struct key_info *info = find_info(s->kind, entry->key, out);

    out->value = NULL;
    if (!info)
        (void)refuse_key(s, entry->key, e);
    else if (key_check(info, entry->value, &out->value, e) == 0)
        return 0;
    return config_what(c, s->file, entry->line, e);
}

int config_missing(const struct config *c, struct err *e)
{
    AUTO_FREE(char *, name);

    name = path_short(c->user_file);
    (void)err_set(e, ERR_CONFIG, "no such file");
    (void)err_what(e, "%s", name);
    return err_hint(e, "BROKER_CONFIG names it: unset that, or broker profile add NAME");
}
