/* SPDX-License-Identifier: MIT */
/* profile show: prints every key that is set or derived, its value and where it came from. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/mem.h>

#include "begin.h"
#include "json.h"

static bool is_shown(const struct setting *s, bool all)
{
    return all || (s->value && s->origin > ORIGIN_BUILT_IN);
}

static char *origin_text(const struct setting *s)
{
    AUTO_FREE(char *, file);

    switch (s->origin) {
    case ORIGIN_FILE:
    case ORIGIN_DEFAULTS:
        file = path_short(s->from);
        return mem_printf("%s:%u", file, s->line);
    case ORIGIN_DERIVED:
        return mem_printf("from %s", s->from);
    case ORIGIN_URL:
        return mem_strdup("URL");
    case ORIGIN_BUILT_IN:
        return mem_strdup("built in");
    case ORIGIN_ENV:
    case ORIGIN_FLAG:
        return mem_strdup(s->from);
    case ORIGIN_UNSET:
        break;
    }
    return mem_strdup("-");
}

static void show_rows(struct table *t, const char *prefix, const struct key_info *infos,
                      const struct setting *set, size_t count, bool all)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE(char *, name);
        AUTO_FREE(char *, value);
        AUTO_FREE(char *, origin);
        if (!is_shown(&set[i], all))
            continue;
        name = mem_printf("%s%s", prefix, infos[i].name);
        value =
            infos[i].type == KEY_PATH && set[i].value ? path_short(set[i].value) : mem_strdup(set[i].value);
        origin = origin_text(&set[i]);
        table_add(t, name);
        table_add(t, value);
        table_add(t, origin);
    }
}

static json_t *typed_value(const struct key_info *info, const char *value)
{
    unsigned long n;
    long ms;

    if (!value)
        return json_null();
    if (info->type == KEY_BOOL)
        return json_boolean(text_equal(value, "yes"));
    if (info->type == KEY_NUMBER && text_number(value, 65535, &n))
        return json_integer((json_int_t)n);
    if (info->type == KEY_TIME && duration_parse(value, &ms))
        return ms % 1000 ? json_real((double)ms / 1000) : json_integer(ms / 1000);
    return json_string(value);
}

static json_t *show_json(const struct key_info *infos, const struct setting *set, size_t count, bool all)
{
    static const char *const origins[] = {"built_in", "built_in", "derived", "file",
                                          "env",      "file",     "url",     "flag"};
    json_t *keys = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct setting *s = &set[i];
        if (!is_shown(s, all))
            continue;
        json_t *row = json_pack("{s:o,s:s,s:s?,s:o}", "value", typed_value(&infos[i], s->value), "origin",
                                origins[s->origin], "from", s->from, "line",
                                s->line ? json_integer((json_int_t)s->line) : json_null());
        (void)json_object_set_new(keys, infos[i].name, row);
    }
    return keys;
}

int profile_show(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);
    AUTO_TABLE(t, 3);
    AUTO_JSON(root);
    bool all = inv->given[OPT_all];

    if (begin(inv, &s, e) < 0)
        return -1;
    json_use_wiping_memory();
    if (inv->given[OPT_json]) {
        root = json_pack("{s:s?,s:o,s:o}", "name", s.profile.name, "keys",
                         show_json(key_infos, s.profile.set, KEY_COUNT, all), "tunnel",
                         show_json(tunnel_key_infos, s.profile.tunnel, TUNNEL_COUNT, all));
        print_json_line(root);
        return 0;
    }
    table_add(&t, "KEY");
    table_add(&t, "VALUE");
    table_add(&t, "ORIGIN");
    show_rows(&t, "", key_infos, s.profile.set, KEY_COUNT, all);
    show_rows(&t, "tunnel.", tunnel_key_infos, s.profile.tunnel, TUNNEL_COUNT, all);
    table_print(&t, stdout);
    return 0;
}
