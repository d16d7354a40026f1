/* SPDX-License-Identifier: MIT */
/* Changes an existing section: sets its keys, renames it, removes it. The text is lexed to find the lines;
 * all other text stays as it is. A new line is indented and spaced like its neighbours. */
#include <model/config_edit.h>

#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>

/* The position of a section, and of one key in it, in the file's text. */
struct edit_place {
    enum section_kind kind;
    const char *name, *key, *value; /* what to find; value NULL: any value */
    bool is_open, is_found, has_key;
    size_t start, header_end, end; /* offsets of the header, of the next line, of the last key's end */
    size_t last_start;             /* the offset of the last key's line; `end` if there is no key */
    size_t key_start, key_end;
};

static int look(void *context, const struct ini_event *event, struct err *e)
{
    struct edit_place *p = context;
    enum section_kind kind;
    const char *name;

    if (!event->key) {
        if (section_read_header(event->section, &kind, &name, e) < 0)
            return -1;
        p->is_open = kind == p->kind && (!p->name || text_equal(name, p->name));
        if (p->is_open && !p->is_found) {
            p->is_found = true;
            p->start = event->start;
            p->header_end = p->end = p->last_start = event->end;
        }
        return 0;
    }
    if (!p->is_open)
        return 0;
    if (p->name) {
        p->last_start = event->start;
        p->end = event->end;
    }
    if (!p->has_key && text_equal(event->key, p->key) && (!p->value || text_equal(event->value, p->value))) {
        p->has_key = true;
        p->key_start = event->start;
        p->key_end = event->end;
    }
    return 0;
}

/* Moves an offset back to the start of its line: the lexer's events begin after the indentation. */
static void to_line_start(const struct config_edit *edit, size_t *at)
{
    while (*at > 0 && edit->text.data[*at - 1] != '\n')
        --*at;
}

/* Finds the section and key that *p asks for. The caller owns its strings; name NULL means any section of
 * that kind. */
static int find(const struct config_edit *edit, struct edit_place *p, struct err *e)
{
    AUTO_BUF(copy, 2 * CONFIG_FILE_BYTES);

    buf_add(&copy, buf_str(&edit->text), edit->text.len);
    if (copy.len && ini_parse(edit->path, copy.data, copy.len, INI_BROKER, look, p, e) < 0)
        return -1;
    to_line_start(edit, &p->start);
    to_line_start(edit, &p->key_start);
    if (p->last_start < p->end)
        to_line_start(edit, &p->last_start);
    return 0;
}

/* Replaces the bytes from `from` to `to` by those of `with`. */
static void replace(struct config_edit *edit, size_t from, size_t to, const struct buf *with)
{
    AUTO_BUF(tail, 2 * CONFIG_FILE_BYTES);

    buf_add(&tail, buf_str(&edit->text) + to, edit->text.len - to);
    explicit_bzero(edit->text.data + from, edit->text.len - from);
    edit->text.len = from;
    buf_add(&edit->text, buf_str(with), with->len);
    buf_add(&edit->text, buf_str(&tail), tail.len);
}

/* Appends KEY and `=`, with the indentation and spaces of an existing line. */
static void add_head(struct buf *out, const char *line, const char *key)
{
    const char *name = line + strspn(line, " \t"), *equals = strchr(name, '=');
    size_t width = (size_t)(equals - name), blanks = strspn(equals + 1, " \t");
    bool has_blank = strspn(name + strcspn(name, " \t="), " \t") > 0;
    bool is_column = equals - name >= 2 && equals[-1] == ' ' && equals[-2] == ' ';

    buf_add(out, line, (size_t)(name - line));
    buf_puts(out, key);
    for (size_t i = strlen(key); is_column && i + 1 < width; i++)
        buf_putc(out, ' ');
    buf_puts(out, has_blank ? " =" : "=");
    if (blanks)
        buf_add(out, equals + 1, blanks);
    else if (has_blank)
        buf_putc(out, ' ');
}

/* Appends the setting's line in the style of the line at `like`; NULL: in the default style. */
static void add_setting(const struct config_edit *edit, struct buf *out, const char *like, size_t end,
                        const struct override *o)
{
    if (like)
        add_head(out, like, o->key);
    else
        buf_printf(out, "%s = ", o->key);
    while (!*o->value && out->len && out->data[out->len - 1] == ' ')
        out->len--;
    config_edit_value(out, o->value);
    buf_puts(out, config_edit_line_end(edit, end));
}

static int set_one(struct config_edit *edit, const char *name, const struct override *o, struct err *e)
{
    struct edit_place p = {.kind = SECTION_PROFILE, .name = name, .key = o->key};
    AUTO_BUF(line, CONFIG_FILE_BYTES);

    if (find(edit, &p, e) < 0)
        return -1;
    const char *text = buf_str(&edit->text), *end = config_edit_line_end(edit, edit->text.len);
    if (!o->value && !p.has_key)
        return 0;
    if (!p.is_found) {
        buf_printf(&line, "%s%s[profile %s]%s", edit->text.len && text[edit->text.len - 1] != '\n' ? end : "",
                   edit->text.len ? end : "", name, end);
        p.key_start = p.key_end = p.header_end = p.last_start = p.end = edit->text.len;
    } else if (!p.has_key) {
        p.key_start = p.key_end = p.end;
        if (text[p.end - 1] != '\n')
            buf_puts(&line, end);
    }
    if (o->value)
        add_setting(edit, &line,
                    p.has_key              ? text + p.key_start
                    : p.last_start < p.end ? text + p.last_start
                                           : NULL,
                    p.key_end, o);
    replace(edit, p.key_start, p.key_end, &line);
    return 0;
}

int config_edit_set(struct config_edit *edit, const char *name, const struct override *settings, size_t count,
                    struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (set_one(edit, name, &settings[i], e) < 0)
            return -1;
    return 0;
}

static int find_own(const struct config_edit *edit, struct edit_place *p, struct err *e)
{
    if (find(edit, p, e) < 0)
        return -1;
    return p->is_found ? 0 : err_set(e, ERR_CONFIG, "not in the user's config file");
}

/* Leaves at most one empty line where the section was. */
int config_edit_remove(struct config_edit *edit, const char *name, struct err *e)
{
    struct edit_place p = {.kind = SECTION_PROFILE, .name = name, .key = ""};
    struct buf nothing = BUF_INIT(1);

    if (find_own(edit, &p, e) < 0)
        return -1;
    const char *text = buf_str(&edit->text), *below = text + p.end;
    size_t blank = *below == '\n' ? 1 : below[0] == '\r' && below[1] == '\n' ? 2 : 0;
    bool is_apart = p.start == 0 || (p.start >= 2 && text[p.start - 1] == '\n' &&
                                     (text[p.start - 2] == '\n' || text[p.start - 2] == '\r'));
    if (blank && is_apart)
        p.end += blank;
    else if (!*below && p.start >= 2 && text[p.start - 1] == '\n' && text[p.start - 2] == '\n')
        p.start--;
    replace(edit, p.start, p.end, &nothing);
    return 0;
}

int config_edit_rename(struct config_edit *edit, const char *from, const char *to, struct err *e)
{
    struct edit_place p = {.kind = SECTION_PROFILE, .name = from, .key = ""};
    const struct override heir = {.key = "inherits", .value = to};
    AUTO_BUF(line, 1024);

    if (find_own(edit, &p, e) < 0)
        return -1;
    buf_printf(&line, "[profile %s]%s", to, config_edit_line_end(edit, p.header_end));
    replace(edit, p.start + strcspn(buf_str(&edit->text) + p.start, "["), p.header_end, &line);
    for (;;) {
        struct edit_place at = {.kind = SECTION_PROFILE, .key = "inherits", .value = from};
        AUTO_BUF(again, CONFIG_FILE_BYTES);
        if (find(edit, &at, e) < 0)
            return -1;
        if (!at.has_key)
            return 0;
        add_setting(edit, &again, buf_str(&edit->text) + at.key_start, at.key_end, &heir);
        replace(edit, at.key_start, at.key_end, &again);
    }
}
