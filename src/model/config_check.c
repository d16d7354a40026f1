/* SPDX-License-Identifier: MIT */
/*
 * Checks the whole config for `profile check`: every key of every section, and references between sections.
 * Unlike a run it does not stop at the first error. It resolves no profile, so each error is reported once.
 */
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>
#include <model/via.h>

struct checking {
    const struct config *config;
    void (*each)(void *context, const struct err *e);
    void *context;
    unsigned errors;
};

static void report(struct checking *k, const struct err *e)
{
    k->each(k->context, e);
    k->errors++;
}

/* Checks that the tunnel in a section's `via` exists. */
static int check_via(const struct config *c, const struct section *s, const struct ini_event *entry,
                     struct err *e)
{
    struct err ignored = ERR_INIT;
    AUTO_VIA(via);

    if (!*entry->value || via_parse(entry->value, &via, &ignored) < 0 || via.form != VIA_NAME)
        return 0;
    if (section_find(c, SECTION_TUNNEL, entry->value))
        return 0;
    (void)tunnel_missing(c, entry->value, e);
    return config_what(c, s->file, entry->line, e);
}

/* The state while the keys of one section are checked, each by itself. If `checking` is NULL, errors are only
 * counted. */
struct keys {
    const struct config *config;
    const struct section *section;
    struct checking *checking;
    unsigned errors;
};

/* Checks the file that a key names, as a run does before it connects. A missing file does not make the line
 * invalid, so the section's rules are still checked. */
static void check_file(const struct keys *k, const struct ini_event *entry, const struct found *found)
{
    const struct key_info *infos[] = {key_infos, tunnel_key_infos, file_key_infos};
    struct err e = ERR_INIT;

    if (!k->checking || !*found->value ||
        key_check_file(&infos[found->table][found->key], found->value, &e) == 0)
        return;
    (void)config_what(k->config, k->section->file, entry->line, &e);
    report(k->checking, &e);
}

static int check_key(void *context, const struct ini_event *entry, struct err *ignored)
{
    struct keys *k = context;
    struct err e = ERR_INIT;
    AUTO_FOUND(found);

    (void)ignored;
    if (entry_check(k->config, k->section, entry, &found, &e) == 0 &&
        !(found.table == FOUND_PROFILE && found.key == KEY_via &&
          check_via(k->config, k->section, entry, &e) < 0)) {
        check_file(k, entry, &found);
        return 0;
    }
    k->errors++;
    if (k->checking)
        report(k->checking, &e);
    return 0;
}

static void check_keys(struct checking *k, const struct section *s)
{
    struct keys keys = {k->config, s, k, 0};
    struct err e = ERR_INIT;

    if (section_each(k->config, s, check_key, &keys, &e) < 0)
        report(k, &e);
}

/* Returns true if no key of this section, and of the weaker sections of the same name, has an error. */
static bool is_clean(const struct config *c, const struct section *s)
{
    struct err ignored = ERR_INIT;
    struct keys keys = {c, NULL, NULL, 0};

    for (; s; s = section_weaker(c, s)) {
        keys.section = s;
        if (section_each(c, s, check_key, &keys, &ignored) < 0 || keys.errors > 0)
            return false;
    }
    return true;
}

/* If all keys are valid, checks the rules between them: host and socket, and keys that a tunnel needs. Uses
 * the same code as a run, on a profile that has only these keys. */
static void check_rules(struct checking *k, const struct section *s)
{
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    if (s->is_weaker || !is_clean(k->config, s))
        return;
    if ((s->kind == SECTION_TUNNEL ? tunnel_fill(k->config, s->name, &p, &e)
                                   : layer_sections(k->config, s, ORIGIN_FILE, &p, &e)) < 0)
        report(k, &e);
}

/* Follows the profiles that a profile inherits from. A cycle is reported once, at its first member. */
static void check_inherits(struct checking *k, const struct section *s)
{
    const struct config *c = k->config;
    const struct section *at = s;
    struct err e = ERR_INIT;
    AUTO_BUF(names, INHERITS_CHAIN);

    for (unsigned steps = 0; at && steps <= c->sections; steps++) {
        unsigned file = 0, line = 0;
        AUTO_FREE(char *, parent);
        parent = inherits_find(c, at, &file, &line);
        buf_printf(&names, "%s", at->name);
        if (!parent || !*parent)
            return;
        at = section_find(c, SECTION_PROFILE, parent);
        if (!at && steps == 0)
            (void)inherits_refuse_parent(c, parent, &e);
        if (at == s) {
            buf_printf(&names, " -> %s", s->name);
            (void)inherits_refuse_circle(buf_str(&names), &e);
        }
        if (e.code) {
            (void)config_what(c, file, line, &e);
            report(k, &e);
            return;
        }
        if (at < s)
            return;
        buf_puts(&names, " -> ");
    }
}

int config_check_defaults(const struct config *c, struct err *e)
{
    AUTO_PROFILE(p);

    return layer_sections(c, section_find(c, SECTION_DEFAULTS, ""), ORIGIN_DEFAULTS, &p, e);
}

unsigned config_check(const struct config *c, void (*each)(void *context, const struct err *e), void *context)
{
    struct checking k = {c, each, context, 0};
    struct err e = ERR_INIT;

    if (c->is_missing) {
        (void)config_missing(c, &e);
        report(&k, &e);
    }
    for (unsigned i = 0; i < c->sections; i++) {
        const struct section *s = &c->section[i];
        check_keys(&k, s);
        check_rules(&k, s);
        if (s->kind == SECTION_PROFILE && !s->is_weaker)
            check_inherits(&k, s);
    }
    return k.errors;
}
