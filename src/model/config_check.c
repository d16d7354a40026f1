/*
 * Checks all of the config, as `profile check` does: every key of every section, and what sections say about
 * each other. Unlike a run it does not stop at the first error. It resolves no profile, so each error is
 * reported once.
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

/* Whether a profile's or tunnel's `via` names a tunnel that there is. */
static int check_via(const struct config *c, const struct section *s, const struct entry *entry,
                     struct err *e)
{
    const char *value = entry_value(c, s, entry);
    struct err ignored = ERR_INIT;
    AUTO_VIA(via);

    if (!*value || via_parse(value, &via, &ignored) < 0 || via.form != VIA_NAME)
        return 0;
    if (section_find(c, SECTION_TUNNEL, value))
        return 0;
    (void)tunnel_missing(c, value, e);
    return config_what(c, s->file, entry->line, e);
}

static int check_entry(const struct config *c, const struct section *s, const struct entry *entry,
                       struct err *e)
{
    AUTO_FOUND(found);

    if (entry_check(c, s, entry, &found, e) < 0)
        return -1;
    return found.table == FOUND_PROFILE && found.key == KEY_via ? check_via(c, s, entry, e) : 0;
}

static void check_entries(struct checking *k, const struct section *s)
{
    for (unsigned i = s->first; i < s->first + s->count; i++) {
        struct err e = ERR_INIT;
        if (check_entry(k->config, s, &k->config->entry[i], &e) < 0)
            report(k, &e);
    }
}

/* Whether nothing has been reported about the keys of this section and of the weaker ones of its name. */
static bool is_clean(const struct config *c, const struct section *s)
{
    struct err ignored = ERR_INIT;

    for (; s; s = section_weaker(c, s))
        for (unsigned i = s->first; i < s->first + s->count; i++)
            if (check_entry(c, s, &c->entry[i], &ignored) < 0)
                return false;
    return true;
}

/*
 * The rules between keys, where each key is right: host against socket, and a tunnel's missing keys. They are
 * those of a run, so a run's own code is asked, with a profile of nothing else.
 */
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

/* Follows a profile's parents. A circle is reported by the first of its members only; others merely lead into
 * it. */
static void check_inherits(struct checking *k, const struct section *s)
{
    const struct config *c = k->config;
    const struct section *at = s;
    struct err e = ERR_INIT;
    AUTO_BUF(names, INHERITS_CHAIN);

    for (unsigned steps = 0; at && steps <= c->sections; steps++) {
        unsigned file;
        const struct entry *entry = inherits_find(c, at, &file);
        buf_printf(&names, "%s", at->name);
        const char *parent = entry ? c->file[file].text.data + entry->value : "";
        if (!*parent)
            return;
        at = section_find(c, SECTION_PROFILE, parent);
        if (!at && steps == 0)
            (void)inherits_refuse_parent(c, parent, &e);
        if (at == s) {
            buf_printf(&names, " -> %s", s->name);
            (void)inherits_refuse_circle(buf_str(&names), &e);
        }
        if (e.code) {
            (void)config_what(c, file, entry->line, &e);
            report(k, &e);
            return;
        }
        if (at < s)
            return;
        buf_puts(&names, " -> ");
    }
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
        check_entries(&k, s);
        check_rules(&k, s);
        if (s->kind == SECTION_PROFILE && !s->is_weaker)
            check_inherits(&k, s);
    }
    return k.errors;
}
