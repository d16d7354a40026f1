/* SPDX-License-Identifier: MIT */
/* `inherits`: applies the profiles from which a profile inherits, nearest first, and checks for cycles. */
#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>

char *inherits_find(const struct config *c, const struct section *s, unsigned *file, unsigned *line)
{
    char *value = NULL;

    for (; s && !value; s = section_weaker(c, s)) {
        value = section_value(c, s, "inherits", line);
        *file = s->file;
    }
    return value;
}

int inherits_refuse_parent(const struct config *c, const char *name, struct err *e)
{
    (void)profile_missing(c, name, e);
    return err_prefix(e, "inherits = %.200s", name);
}

int inherits_refuse_circle(const char *chain, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "inherits loop: %s", chain);
    return err_hint(e, "delete one of the inherits lines");
}

int profile_missing(const struct config *c, const char *name, struct err *e)
{
    const char *const *names = config_profile_names(c), *meant = text_closest(name, names);

    (void)err_set(e, ERR_CONFIG, "no such profile");
    if (meant)
        return err_hint(e, "did you mean '%s'?", meant);
    if (!profile_name_valid(name))
        return err_hint(e, "a name has letters, digits and . _ @ + -; a URL has ://");
    return *names ? err_hint(e, "broker profile list") : err_hint_sh(e, "broker profile add %s", name);
}

static int refuse_circle(const struct words *chain, const char *next, struct err *e)
{
    AUTO_BUF(names, INHERITS_CHAIN);

    for (size_t i = 0; i < chain->count; i++)
        buf_printf(&names, "%s -> ", chain->word[i]);
    buf_puts(&names, next);
    return inherits_refuse_circle(buf_str(&names), e);
}

int inherits_follow(const struct config *c, struct profile *p, struct err *e)
{
    AUTO_WORDS(chain);
    const struct setting *own = &p->set[KEY_inherits];
    AUTO_FREE(char *, next);
    unsigned file = 0, line = 0;

    if (p->name)
        words_add(&chain, p->name);
    next = mem_strdup(own->value);
    while (next && *next) {
        const struct section *s = section_find(c, SECTION_PROFILE, next);
        bool is_circle = words_have(&chain, next);
        if (!s && section_lex_all(c, e) < 0)
            return -1;
        if (!s || is_circle) {
            (void)(is_circle ? refuse_circle(&chain, next, e) : inherits_refuse_parent(c, next, e));
            return line ? config_what(c, file, line, e) : setting_what(own, e);
        }
        if (layer_sections(c, s, ORIGIN_FILE, p, e) < 0)
            return -1;
        words_take(&chain, next);
        next = inherits_find(c, s, &file, &line);
    }
    return 0;
}

const char *config_heir(const struct config *c, const char *name, char **place)
{
    for (unsigned i = 0; i < c->sections; i++) {
        const struct section *s = &c->section[i];
        unsigned file = 0, line = 0;
        AUTO_FREE(char *, parent);
        if (s->kind != SECTION_PROFILE || s->is_weaker)
            continue;
        parent = inherits_find(c, s, &file, &line);
        if (!text_equal(parent, name))
            continue;
        *place = mem_printf("%s:%u", c->file[file].label, line);
        return s->name;
    }
    return NULL;
}
