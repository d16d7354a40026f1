/* SPDX-License-Identifier: MIT */
/* The layers of a profile: the command line's overrides, sections of the file, the environment. Each fills in
 * the keys that no stronger layer has set. config_resolve.c applies the layers in order. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>
#include <model/url.h>

int setting_what(const struct setting *s, struct err *e)
{
    AUTO_FREE(char *, label);

    if (!s->line)
        return err_what(e, "%s", s->origin == ORIGIN_URL ? "URL" : s->from);
    label = path_short(s->from);
    return err_what(e, "%s:%u", label, s->line);
}

/* --- host and socket override each other --- */

struct key_place {
    bool has_host, has_socket; /* a stronger layer has set or unset it */
};

static struct key_place place_before(const struct profile *p)
{
    return (struct key_place){p->set[KEY_host].origin != ORIGIN_UNSET,
                              p->set[KEY_socket].origin != ORIGIN_UNSET};
}

/* Called after each layer. If the layer has set host or socket, the other one is unset for weaker layers, so
 * that `--socket PATH` overrides a profile's host. Both in one layer are an error. */
static int place_settle(struct profile *p, struct key_place before, struct err *e)
{
    struct setting *host = &p->set[KEY_host], *path = &p->set[KEY_socket];
    bool new_host = !before.has_host && host->value, new_path = !before.has_socket && path->value;

    if (new_host && new_path) {
        (void)err_set(e,
                      path->origin == ORIGIN_FLAG  ? ERR_USAGE
                      : path->origin == ORIGIN_URL ? ERR_DATA
                                                   : ERR_CONFIG,
                      "host and socket contradict each other");
        (void)setting_what(path->line >= host->line ? path : host, e);
        return err_hint(e, "keep host for TCP, or socket for a server on this machine");
    }
    if (new_host)
        (void)setting_put(path, NULL, host->origin, host->from, host->line);
    if (new_path)
        (void)setting_put(host, NULL, path->origin, path->from, path->line);
    return 0;
}

/* --- overrides from the command line --- */

static int refuse_override(const char *key, struct err *e)
{
    const char *bare = text_starts(key, "tunnel.") ? key + 7 : key, *meant;

    (void)err_set(e, ERR_USAGE, "unknown key '%.80s'", key);
    if (key_is_secret(bare)) {
        (void)err_set(e, ERR_USAGE, "no secrets on the command line: '%s'", bare);
        return err_hint(e, "broker password set NAME");
    }
    if (bare == key && key_find(tunnel_key_infos, TUNNEL_COUNT, key) >= 0)
        return err_hint(e, "did you mean 'tunnel.%s'?", key);
    if (bare == key && key_find(file_key_infos, FILE_COUNT, key) >= 0)
        return err_hint(e, "it belongs in [defaults] of the config file");
    meant = bare == key ? key_closest(key_infos, KEY_COUNT, key)
                        : key_closest(tunnel_key_infos, TUNNEL_COUNT, bare);
    if (meant)
        return err_hint(e, "did you mean '%s%s'?", bare == key ? "" : "tunnel.", meant);
    return err_hint(e, "broker help config");
}

static int take_override(struct profile *p, const struct override *o, struct err *e)
{
    bool is_tunnel = text_starts(o->key, "tunnel.");
    int k = is_tunnel ? key_find(tunnel_key_infos, TUNNEL_COUNT, o->key + 7)
                      : key_find(key_infos, KEY_COUNT, o->key);
    AUTO_FREE(char *, value);

    if (k < 0)
        return refuse_override(o->key, e);
    if (key_check(is_tunnel ? &tunnel_key_infos[k] : &key_infos[k], o->value, &value, e) < 0) {
        e->code = ERR_USAGE;
        return -1;
    }
    (void)setting_put(is_tunnel ? &p->tunnel[k] : &p->set[k], value, ORIGIN_FLAG, o->flag, 0);
    return 0;
}

/* Applied in reverse order, because the last override of a key wins. */
int layer_overrides(struct profile *p, const struct override *overrides, size_t count, struct err *e)
{
    struct key_place before = place_before(p);

    for (size_t i = count; i-- > 0;)
        if (take_override(p, &overrides[i], e) < 0)
            return err_what(e, "%s", overrides[i].flag);
    return place_settle(p, before, e);
}

/* --- sections of the file --- */

struct applying {
    const struct config *config;
    const struct section *section;
    enum origin origin;
    struct profile *p;
};

static int apply_entry(void *context, const struct ini_event *entry, struct err *e)
{
    const struct applying *a = context;
    AUTO_FOUND(found);

    if (entry_check(a->config, a->section, entry, &found, e) < 0)
        return -1;
    struct setting *slot = found.table == FOUND_PROFILE  ? &a->p->set[found.key]
                           : found.table == FOUND_TUNNEL ? &a->p->tunnel[found.key]
                                                         : NULL;
    if (slot)
        (void)setting_put(slot, found.value, a->origin, a->config->file[a->section->file].path, entry->line);
    return 0;
}

static int apply_section(const struct config *c, const struct section *s, enum origin origin,
                         struct profile *p, struct err *e)
{
    struct applying applying = {c, s, origin, p};
    struct key_place before = place_before(p);

    return section_each(c, s, apply_entry, &applying, e) < 0 ? -1 : place_settle(p, before, e);
}

int layer_sections(const struct config *c, const struct section *s, enum origin origin, struct profile *p,
                   struct err *e)
{
    for (; s; s = section_weaker(c, s))
        if (apply_section(c, s, origin, p, e) < 0)
            return -1;
    return 0;
}

int layer_url(const char *url, struct profile *p, struct err *e)
{
    struct key_place before = place_before(p);

    return url_parse(url, p, e) < 0 ? -1 : place_settle(p, before, e);
}

/* --- BROKER_* variables of the environment --- */

int layer_environment(struct profile *p, struct err *e)
{
    struct key_place before = place_before(p);

    for (size_t k = 0; k < KEY_COUNT; k++) {
        char name[64] = "BROKER_";
        size_t n = strlen(name);
        for (const char *s = key_infos[k].name; *s && n + 1 < sizeof name; s++)
            name[n++] = (char)toupper((unsigned char)*s);
        name[n] = '\0';
        const char *given = k == KEY_inherits ? NULL : secure_getenv(name);
        AUTO_FREE(char *, value);
        if (!given)
            continue;
        if (key_check(&key_infos[k], given, &value, e) < 0)
            return err_what(e, "%s", name);
        (void)setting_put(&p->set[k], value, ORIGIN_ENV, name, 0);
    }
    return place_settle(p, before, e);
}

void settle_built_in(struct setting *slots, const struct key_info *infos, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (slots[k].value || !infos[k].built_in)
            continue;
        setting_clear(&slots[k]);
        (void)setting_put(&slots[k], infos[k].built_in, ORIGIN_BUILT_IN, NULL, 0);
    }
}
