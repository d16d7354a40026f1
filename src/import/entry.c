/* SPDX-License-Identifier: MIT */
/*
 * One connection while it is turned from another program's file into a profile. Each key is checked as in the
 * config file; a rejected one is left out, with the reason. Keys that name a program, a file to send, or
 * another profile cannot be set here.
 */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>

#define LEFT_MOST 64

static void left_release(struct import_left *left, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(left[i].what);
        free(left[i].why);
    }
    free(left);
}

static void entry_release(struct import_entry *entry)
{
    free(entry->label);
    free(entry->group);
    free(entry->name);
    free(entry->kept);
    profile_release(&entry->p);
    left_release(entry->left, entry->left_count);
    *entry = (struct import_entry){0};
}

void import_release(struct import_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        entry_release(&list->entry[i]);
    free(list->entry);
    left_release(list->skipped, list->skipped_count);
    *list = (struct import_list){0};
}

/* Returns one line of the text, sanitised so that it can be shown; malloced. */
static char *cleaned(const char *s)
{
    AUTO_BUF(out, 4096);

    text_sanitise_line(&out, s, strnlen(s, 1000));
    return buf_take(&out);
}

static void note(struct import_left **left, size_t *count, size_t most, const char *what, const char *why)
{
    if (*count == most)
        return;
    *left = mem_grow(*left, *count + 1, sizeof **left);
    (*left)[(*count)++] = (struct import_left){cleaned(what), cleaned(why)};
}

void import_leave(struct import_entry *entry, const char *what, const char *why)
{
    size_t n = strlen(what);

    /* Errors about a key begin with its name, which is dropped here. */
    if (strncmp(why, what, n) == 0 && text_starts(why + n, ": "))
        why += n + 2;
    note(&entry->left, &entry->left_count, LEFT_MOST, what, why);
}

void import_skip(struct import_list *list, const char *what, const char *why)
{
    note(&list->skipped, &list->skipped_count, IMPORT_ENTRIES, *what ? what : "a connection", why);
}

struct import_entry *import_add(struct import_list *list, const char *label)
{
    if (list->count == IMPORT_ENTRIES) {
        import_skip(list, label ? label : "the rest", "too many connections in one file");
        return NULL;
    }
    list->entry = mem_grow(list->entry, list->count + 1, sizeof *list->entry);
    struct import_entry *entry = &list->entry[list->count++];
    *entry = (struct import_entry){.label = label && *label ? cleaned(label) : NULL};
    return entry;
}

void import_leave_out(struct import_list *list, size_t i, const char *why)
{
    struct import_entry *entry = &list->entry[i];
    const char *host = profile_str(&entry->p, KEY_host);

    import_skip(list, entry->label ? entry->label : host ? host : "a connection", why);
    entry_release(entry);
    list->count--;
    memmove(entry, entry + 1, (list->count - i) * sizeof *entry);
}

void import_refuse(struct import_list *list, const char *why)
{
    import_leave_out(list, list->count - 1, why);
}

/* Returns the normalised value if the config file may hold it; otherwise NULL, with a note. */
static char *checked(struct import_entry *entry, const struct key_info *info, const char *value)
{
    struct err why = ERR_INIT;
    char *normal = NULL;

    if (strchr(value, '[') && !strchr(value, ':'))
        (void)err_set(&why, ERR_DATA, "holds '['");
    else if (info->type == KEY_TEXT && info->url == URL_PLACE && *value == '-')
        (void)err_set(&why, ERR_DATA, "begins with '-', so a program would take it for an option");
    else if (key_check(info, value, &normal, &why) == 0)
        return normal;
    import_leave(entry, info->name, why.msg);
    return NULL;
}

void import_put(struct import_entry *entry, enum key k, const char *value)
{
    AUTO_FREE(char *, normal);

    if (!value || !*value)
        return;
    normal = checked(entry, &key_infos[k], value);
    if (!normal)
        return;
    setting_clear(&entry->p.set[k]);
    (void)setting_put(&entry->p.set[k], key_infos[k].type == KEY_PATH ? value : normal, ORIGIN_FILE, "import",
                      0);
}

void import_put_tunnel(struct import_entry *entry, enum tunnel_key k, const char *value)
{
    AUTO_FREE(char *, normal);

    if (!value || !*value)
        return;
    normal = checked(entry, &tunnel_key_infos[k], value);
    if (!normal)
        return;
    setting_clear(&entry->p.tunnel[k]);
    (void)setting_put(&entry->p.tunnel[k], tunnel_key_infos[k].type == KEY_PATH ? value : normal, ORIGIN_FILE,
                      "import", 0);
}

void import_password(struct import_entry *entry, const char *bytes, size_t n)
{
    if (!n)
        return;
    if (n > SECRET_MAX || memchr(bytes, '\n', n) || memchr(bytes, '\0', n)) {
        import_leave(entry, "password", "it contains a newline or a NUL byte, or is too long");
        return;
    }
    secret_free(entry->p.password);
    entry->p.password = secret_from(bytes, n);
}

void import_tls(struct import_entry *entry, const char *level)
{
    import_put(entry, KEY_tls, level);
    entry->is_tls_said = true;
}

void import_set_tls(struct import_entry *entry, const char *level)
{
    import_put(entry, KEY_tls, level);
}

void import_port(struct import_entry *entry, const char *port)
{
    if (port && !text_equal(port, "0") && !text_equal(port, "3306"))
        import_put(entry, KEY_port, port);
}

void import_drop(struct import_entry *entry, enum key k, const char *why)
{
    setting_clear(&entry->p.set[k]);
    if (why)
        import_leave(entry, key_infos[k].name, why);
}

size_t import_settings(const struct import_entry *entry, struct override out[IMPORT_SETTINGS])
{
    static const char *const tunnel_names[TUNNEL_COUNT] = {
#define TUNNEL_KEY(id, type, limits, built_in, help) "tunnel." #id,
#include <model/keys.def>
    };
    size_t n = 0;

    for (size_t k = 0; k < KEY_COUNT; k++)
        if (entry->p.set[k].value)
            out[n++] = (struct override){key_infos[k].name, entry->p.set[k].value, NULL};
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (entry->p.tunnel[k].value)
            out[n++] = (struct override){tunnel_names[k], entry->p.tunnel[k].value, NULL};
    return n;
}

char *line_next(char **at)
{
    char *line = *at, *end = line + strcspn(line, "\n");

    if (!*line)
        return NULL;
    *at = *end ? end + 1 : end;
    while (end > line && strchr(" \t\r", end[-1]))
        end--;
    *end = '\0';
    return line + strspn(line, " \t");
}
