/* SPDX-License-Identifier: MIT */
/* Adds a new section to the user's config file. */
#include <model/config_edit.h>

#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>

/* Returns true if the value reads back unchanged without quotes. */
static bool is_plain(const char *value)
{
    size_t n = strlen(value);

    if (!n)
        return true;
    if (strchr(" \t\"#;", value[0]) || strchr(" \t", value[n - 1]))
        return false;
    for (const char *s = value + 1; *s; s++)
        if ((*s == '#' || *s == ';') && (s[-1] == ' ' || s[-1] == '\t'))
            return false;
    return true;
}

void config_edit_value(struct buf *out, const char *value)
{
    bool quote = !is_plain(value);

    if (quote)
        buf_putc(out, '"');
    for (; *value; value++) {
        if (quote && (*value == '"' || *value == '\\'))
            buf_putc(out, '\\');
        buf_putc(out, *value);
    }
    if (quote)
        buf_putc(out, '"');
}

static void add_line(struct config_edit *edit, const char *key, const char *value)
{
    struct buf *out = &edit->text;
    const char *end = config_edit_line_end(edit, out->len);

    buf_printf(out, "%s =%s", key, *value ? " " : "");
    config_edit_value(out, value);
    buf_puts(out, end);
}

/* Appends an empty line, unless the file is empty, and a header. */
static void add_header(struct config_edit *edit, const char *kind, const char *name)
{
    struct buf *out = &edit->text;
    const char *end = config_edit_line_end(edit, out->len);

    buf_printf(out, "%s[%s %s]%s", out->len ? end : "", kind, name, end);
}

/* Checks a setting as a run would, and appends its line. */
static int add_setting(struct config_edit *edit, const struct key_info *infos, size_t count, const char *key,
                       const struct override *o, struct err *e)
{
    int k = key_find(infos, count, key);
    AUTO_FREE(char *, checked);

    if (k < 0) {
        const char *meant = key_closest(infos, count, key);
        (void)err_set(e, ERR_USAGE, "unknown key '%.80s'", o->key);
        (void)(meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help config"));
        return err_what(e, "%s", o->flag ? o->flag : o->key);
    }
    if (key_check(&infos[k], o->value, &checked, e) < 0)
        return err_what(e, "%s", o->flag ? o->flag : o->key);
    add_line(edit, infos[k].name, o->value);
    return 0;
}

static bool has_tunnel_keys(const struct override *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_starts(settings[i].key, "tunnel."))
            return true;
    return false;
}

/* Appends the profile's section. If it gets a tunnel section of its own, an inline `via` is replaced. */
static int add_profile_section(struct config_edit *edit, const char *name, const struct override *settings,
                               size_t count, struct err *e)
{
    bool with_tunnel = has_tunnel_keys(settings, count);

    add_header(edit, "profile", name);
    for (size_t i = 0; i < count; i++) {
        if (text_starts(settings[i].key, "tunnel.") || (with_tunnel && text_equal(settings[i].key, "via")))
            continue;
        if (add_setting(edit, key_infos, KEY_COUNT, settings[i].key, &settings[i], e) < 0)
            return -1;
    }
    if (with_tunnel)
        add_line(edit, "via", name);
    return 0;
}

static int add_tunnel_section(struct config_edit *edit, const char *name, const struct override *settings,
                              size_t count, struct err *e)
{
    add_header(edit, "tunnel", name);
    for (size_t i = 0; i < count; i++) {
        const struct override *o = &settings[i];
        if (text_starts(o->key, "tunnel.") &&
            add_setting(edit, tunnel_key_infos, TUNNEL_COUNT, o->key + 7, o, e) < 0)
            return -1;
    }
    return 0;
}

static int refuse_existing(const struct config *c, const struct section *s, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "%s exists already, %s:%u",
                  s->kind == SECTION_TUNNEL ? "this tunnel" : "this profile", c->file[s->file].label,
                  section_line(c, s));
    (void)err_hint(e, "choose another name, or edit that file");
    return err_what(e, "%s", s->name);
}

int config_edit_check_name(const struct config *c, const char *name, bool with_tunnel, struct err *e)
{
    const struct section *s = section_find(c, SECTION_PROFILE, name);

    if (!profile_name_valid(name)) {
        (void)err_set(e, ERR_USAGE, "not a valid name");
        (void)err_hint(e, "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
        return err_what(e, "%.200s", name);
    }
    if (!s && with_tunnel)
        s = section_find(c, SECTION_TUNNEL, name);
    if (s)
        return refuse_existing(c, s, e);
    if (c->user_file)
        return 0;
    (void)err_set(e, ERR_CONFIG, "no home folder for the config file");
    (void)err_hint(e, "set HOME, XDG_CONFIG_HOME or BROKER_CONFIG");
    return err_what(e, "%s", name);
}

int config_edit_add(struct config_edit *edit, const char *name, const struct override *settings, size_t count,
                    struct err *e)
{
    bool with_tunnel = has_tunnel_keys(settings, count);

    if (config_edit_check_name(edit->config, name, with_tunnel, e) < 0)
        return -1;
    if (edit->text.len && edit->text.data[edit->text.len - 1] != '\n')
        buf_puts(&edit->text, config_edit_line_end(edit, edit->text.len));
    if (add_profile_section(edit, name, settings, count, e) < 0)
        return -1;
    return with_tunnel ? add_tunnel_section(edit, name, settings, count, e) : 0;
}

int config_add_profile(const char *name, const struct override *settings, size_t count, struct err *e)
{
    AUTO_EDIT(edit);

    if (config_edit_begin(&edit, e) < 0 || config_edit_add(&edit, name, settings, count, e) < 0)
        return -1;
    return config_edit_save(&edit, e);
}
