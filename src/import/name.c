/* SPDX-License-Identifier: MIT */
/* Profile names for imported connections. Other programs allow any text, with spaces, slashes and duplicates;
 * our names must be easy to type. */
#include "parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#define NAME_MOST 64

/* Returns the label's letters, digits and . _ @ + with `-` for anything in between; "" if there are none. */
static char *slug_of(const char *label)
{
    AUTO_BUF(out, NAME_MOST);
    bool gap = false;

    for (const char *s = label; *s && out.len < NAME_MOST - 6; s++) {
        bool is_good = isalnum((unsigned char)*s) || (out.len && strchr("._@+-", *s));
        if (is_good && gap && out.len)
            buf_putc(&out, '-');
        if (is_good)
            buf_putc(&out, *s);
        gap = !is_good;
    }
    while (out.len && !isalnum((unsigned char)out.data[out.len - 1]))
        out.len--;
    return mem_strndup(buf_str(&out), out.len);
}

/* Returns the name made from the label, title, database or host, whichever is first usable. */
static char *own_slug(const struct import_entry *entry)
{
    const char *words[] = {entry->label, profile_str(&entry->p, KEY_title),
                           profile_str(&entry->p, KEY_database), profile_str(&entry->p, KEY_host), "local"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char *slug = words[i] ? slug_of(words[i]) : NULL;
        if (slug && *slug)
            return slug;
        free(slug);
    }
    return mem_strdup("imported");
}

static bool is_taken(const struct import_list *list, size_t before, const struct config *c, const char *name)
{
    const char *file;
    unsigned line;
    const char *const *tunnel = config_tunnel_names(c);

    while (*tunnel && !text_equal(*tunnel, name))
        tunnel++;
    bool taken = *tunnel || text_equal(name, "direct") || config_profile_place(c, name, &file, &line);
    for (size_t i = 0; i < before && !taken; i++)
        taken = text_equal(list->entry[i].name, name);
    return taken;
}

static void name_one(struct import_list *list, size_t i, const struct config *c)
{
    struct import_entry *entry = &list->entry[i];
    AUTO_FREE(char *, slug);
    AUTO_FREE(char *, title);

    slug = own_slug(entry);
    entry->name = mem_strdup(slug);
    for (unsigned n = 2; is_taken(list, i, c, entry->name); n++) {
        free(entry->name);
        entry->name = mem_printf("%s-%u", slug, n);
    }
    if (entry->label && entry->group)
        title = mem_printf("%s / %s", entry->group, entry->label);
    else if (entry->label)
        title = mem_strdup(entry->label);
    if (title && !text_equal(title, entry->name) && !profile_str(&entry->p, KEY_title))
        import_put(entry, KEY_title, title);
}

static bool is_same_tunnel(const struct profile *a, const struct profile *b)
{
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (!text_equal(a->tunnel[k].value, b->tunnel[k].value))
            return false;
    return a->tunnel[TUNNEL_host].value;
}

/* If an earlier connection has the same bastion, makes this one use that profile's tunnel section. */
static void share_tunnel(struct import_list *list, size_t i)
{
    struct import_entry *entry = &list->entry[i];
    size_t first = 0;

    while (first < i && !is_same_tunnel(&list->entry[first].p, &entry->p))
        first++;
    if (first == i)
        return;
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        setting_clear(&entry->p.tunnel[k]);
    import_put(entry, KEY_via, list->entry[first].name);
}

void import_name_all(struct import_list *list, const struct config *c)
{
    for (size_t i = 0; i < list->count; i++)
        name_one(list, i, c);
    for (size_t i = list->count; i-- > 0;)
        share_tunnel(list, i);
}
