/* SPDX-License-Identifier: MIT */
/*
 * The table of sections: adds them while a file is lexed, checks the structure (kinds, names, no duplicates
 * in one file), and finds them by name. Each run does this for every section of the file, so it copies
 * nothing and does not look at keys.
 */
#include <model/config_file.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

/* The FNV-1a hash of a section's kind and name. */
static uint32_t hash_name(enum section_kind kind, const char *name)
{
    uint32_t h = 2166136261u ^ (uint32_t)kind;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

/* Returns the slot of the hash table where a section of this name is or would be. */
static unsigned *find_slot(const struct config *c, enum section_kind kind, const char *name, uint32_t hash)
{
    for (unsigned i = hash & (c->table_size - 1);; i = (i + 1) & (c->table_size - 1)) {
        unsigned *slot = &c->table[i];
        if (!*slot)
            return slot;
        const struct section *s = &c->section[*slot - 1];
        if (s->hash == hash && s->kind == kind && strcmp(s->name, name) == 0)
            return slot;
    }
}

static void grow_table(struct config *c)
{
    c->table_size = c->table_size ? 4 * c->table_size : 64;
    free(c->table);
    c->table = mem_alloc(c->table_size, sizeof *c->table);
    for (unsigned i = 0; i < c->sections; i++) {
        const struct section *s = &c->section[i];
        if (!s->is_weaker)
            *find_slot(c, s->kind, s->name, s->hash) = i + 1;
    }
}

const struct section *section_find(const struct config *c, enum section_kind kind, const char *name)
{
    unsigned at = c->table_size ? *find_slot(c, kind, name, hash_name(kind, name)) : 0;

    return at ? &c->section[at - 1] : NULL;
}

const struct section *section_weaker(const struct config *c, const struct section *s)
{
    return s->weaker ? &c->section[s->weaker - 1] : NULL;
}

int config_what(const struct config *c, unsigned file, unsigned line, struct err *e)
{
    return err_what(e, "%s:%u", c->file[file].label, line);
}

/* Returns the name that follows `word` in a header; NULL if the header begins with another word. */
static const char *header_name(const char *header, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(header, word, n) != 0 || (header[n] && header[n] != ' ' && header[n] != '\t'))
        return NULL;
    return header + n + strspn(header + n, " \t");
}

static int refuse_header(const char *header, struct err *e)
{
    static const char *const words[] = {"defaults", "profile", "tunnel", NULL};
    AUTO_FREE(char *, first);

    first = mem_strndup(header, strcspn(header, " \t"));
    const char *meant = text_closest(first, words), *rest = header + strlen(first);
    (void)err_set(e, ERR_CONFIG, "unknown section [%.80s]", header);
    if (meant)
        return err_hint(e, "did you mean [%s%.80s]?", meant, text_equal(meant, "defaults") ? "" : rest);
    if (profile_name_valid(header))
        return err_hint(e, "did you mean [profile %s]?", header);
    return err_hint(e, "[defaults], [profile NAME] or [tunnel NAME]");
}

int section_read_header(const char *header, enum section_kind *kind, const char **name, struct err *e)
{
    if (text_equal(header, "defaults")) {
        *kind = SECTION_DEFAULTS;
        *name = "";
        return 0;
    }
    *kind = SECTION_PROFILE;
    *name = header_name(header, "profile");
    if (!*name) {
        *kind = SECTION_TUNNEL;
        *name = header_name(header, "tunnel");
    }
    if (!*name)
        return refuse_header(header, e);
    if (!profile_name_valid(*name)) {
        (void)err_set(e, ERR_CONFIG, "[%.80s]: not a valid name", header);
        return err_hint(e, "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
    }
    if (*kind == SECTION_TUNNEL && text_equal(*name, "direct")) {
        (void)err_set(e, ERR_CONFIG, "[tunnel direct]: this name is built in and means no tunnel");
        return err_hint(e, "give the tunnel another name");
    }
    return 0;
}

/* Links a new section after those of the same name that override it. Returns -1 if one of them is in the same
 * file. */
static int chain_section(struct config *c, unsigned strongest, struct err *e)
{
    unsigned added = c->sections - 1;
    struct section *s = &c->section[added], *last = &c->section[strongest - 1];

    while (last->weaker)
        last = &c->section[last->weaker - 1];
    if (last->file == s->file) {
        const char *word = s->kind == SECTION_PROFILE  ? "profile "
                           : s->kind == SECTION_TUNNEL ? "tunnel "
                                                       : "";
        (void)err_set(e, ERR_CONFIG, "[%s%s] again, after line %u", word, *word ? s->name : "defaults",
                      section_line(c, last));
        return err_hint(e, "merge the two sections");
    }
    s->is_weaker = true;
    last->weaker = added + 1;
    return 0;
}

int section_add(struct config *c, const struct ini_event *header, struct err *e)
{
    struct section s = {.file = (unsigned char)(c->files - 1),
                        .header = (uint32_t)header->start,
                        .start = (uint32_t)header->end};
    enum section_kind kind;

    if (section_read_header(header->section, &kind, &s.name, e) < 0)
        return -1;
    s.kind = (unsigned char)kind;
    s.hash = hash_name(kind, s.name);
    if (c->sections * 2 >= c->table_size)
        grow_table(c);
    if (c->sections == c->section_room) {
        c->section_room = c->section_room ? 2 * c->section_room : 64;
        c->section = mem_grow(c->section, c->section_room, sizeof *c->section);
    }
    section_end(c, header->start);
    c->section[c->sections++] = s;
    unsigned *slot = find_slot(c, kind, s.name, s.hash);
    if (*slot)
        return chain_section(c, *slot, e);
    *slot = c->sections;
    return 0;
}

void section_end(struct config *c, size_t end)
{
    if (c->sections > 0 && c->section[c->sections - 1].file == c->files - 1)
        c->section[c->sections - 1].end = (uint32_t)end;
}

/* The estimate is generous, because memory that is never touched costs nothing. */
void section_reserve(struct config *c, size_t bytes)
{
    c->section_room = c->sections + (unsigned)(bytes / 64) + 16;
    c->section = mem_grow(c->section, c->section_room, sizeof *c->section);
}

void section_list_names(struct config *c)
{
    unsigned count[SECTION_TUNNEL + 1] = {0};

    for (unsigned i = 0; i < c->sections; i++)
        count[c->section[i].kind]++;
    for (enum section_kind kind = SECTION_PROFILE; kind <= SECTION_TUNNEL; kind++) {
        c->names[kind] = mem_alloc((size_t)count[kind] + 1, sizeof *c->names[kind]);
        count[kind] = 0;
    }
    for (unsigned i = 0; i < c->sections; i++) {
        const struct section *s = &c->section[i];
        if (!s->is_weaker && s->kind != SECTION_DEFAULTS)
            c->names[s->kind][count[s->kind]++] = s->name;
    }
}

unsigned section_line(const struct config *c, const struct section *s)
{
    return ini_line(c->file[s->file].text.data, s->header);
}

struct body {
    ini_handler *each;
    void *context;
    const char *key[CONFIG_SECTION_KEYS];
    unsigned keys, line;
};

static int take_key(void *context, const struct ini_event *entry, struct err *e)
{
    struct body *b = context;

    b->line = entry->line;
    for (unsigned i = 0; i < b->keys; i++)
        if (text_equal(b->key[i], entry->key)) {
            (void)err_set(e, ERR_CONFIG, "'%.80s' again in the same section", entry->key);
            return err_hint(e, "delete one of the lines");
        }
    if (b->keys == CONFIG_SECTION_KEYS) {
        (void)err_set(e, ERR_CONFIG, "too many keys in one section");
        return err_hint(e, "delete some of them");
    }
    b->key[b->keys++] = entry->key;
    return b->each(b->context, entry, e);
}

int section_each(const struct config *c, const struct section *s, ini_handler *each, void *context,
                 struct err *e)
{
    const struct config_file *f = &c->file[s->file];
    struct body body = {.each = each, .context = context};
    AUTO_BUF(text, CONFIG_FILE_BYTES);

    if (s->end == s->start)
        return 0;
    buf_add(&text, f->text.data + s->start, s->end - s->start);
    unsigned first = ini_line(f->text.data, s->start);
    if (ini_parse_body(f->label, s->name, first, text.data, text.len, take_key, &body, e) == 0)
        return 0;
    return config_what(c, s->file, body.line, e);
}

static int take_none(void *context, const struct ini_event *entry, struct err *e)
{
    (void)context;
    (void)entry;
    (void)e;
    return 0;
}

int section_lex_all(const struct config *c, struct err *e)
{
    for (unsigned i = 0; i < c->sections; i++)
        if (section_each(c, &c->section[i], take_none, NULL, e) < 0)
            return -1;
    return 0;
}

struct wanted {
    const char *key;
    char *value;
    unsigned line;
};

static int take_wanted(void *context, const struct ini_event *entry, struct err *e)
{
    struct wanted *w = context;

    (void)e;
    if (!w->value && text_equal(entry->key, w->key)) {
        w->value = mem_strdup(entry->value);
        w->line = entry->line;
    }
    return 0;
}

char *section_value(const struct config *c, const struct section *s, const char *key, unsigned *line)
{
    struct wanted w = {.key = key};
    struct err ignored = ERR_INIT;

    (void)section_each(c, s, take_wanted, &w, &ignored);
    *line = w.line;
    return w.value;
}
