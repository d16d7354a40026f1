/* SPDX-License-Identifier: MIT */
/*
 * Reads the config files: finds them, follows their includes and checks their structure. config_resolve.c
 * determines what the keys mean for one profile, and checks the values only then, except for keys of the file
 * itself.
 */
#include <model/config.h>

#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/config_file.h>
#include <model/ini.h>

#define SYSTEM_FILE "/etc/broker/config"

static int index_event(void *context, const struct ini_event *event, struct err *e)
{
    return section_add(context, event, e);
}

static int read_text(const struct config *c, const char *path, struct buf *out, struct err *e)
{
    if (!c->instead || !text_equal(path, c->user_file))
        return text_equal(path, "/dev/null") ? 0 : file_read(path, FILE_TRUSTED, out, e);
    buf_add(out, buf_str(c->instead), c->instead->len);
    if (buf_ok(out))
        return 0;
    (void)err_set(e, ERR_CONFIG, "over %zu bytes", out->max);
    return err_what(e, "%s", path);
}

/* Reads one file; the files read before it take precedence. Returns 0 if done, 1 if there is no such file, -1
 * on error. */
static int read_file(struct config *c, const char *path, struct err *e)
{
    struct config_file *f = &c->file[c->files];

    f->text = (struct buf)BUF_INIT(CONFIG_FILE_BYTES);
    int got = read_text(c, path, &f->text, e);
    if (got != 0) {
        buf_release(&f->text);
        if (got < 0 && !*e->hint)
            (void)err_hint(e, e->code == ERR_CONFIG ? "split it into several files with include"
                                                    : "make it readable, or delete it");
        return got;
    }
    f->path = mem_strdup(path);
    f->label = path_short(path);
    c->files++;
    if (!f->text.len)
        return 0;
    section_reserve(c, f->text.len);
    if (ini_index(f->label, f->text.data, f->text.len, index_event, c, e) < 0)
        return -1;
    section_end(c, f->text.len);
    return 0;
}

/* Returns the [defaults] section of one file; NULL if it has none. */
static const struct section *find_defaults(const struct config *c, unsigned file)
{
    const struct section *s = section_find(c, SECTION_DEFAULTS, "");

    while (s && s->file != file)
        s = section_weaker(c, s);
    return s;
}

/* Gets the path of the file that a file includes, malloced; NULL if it includes none. */
static int find_include(const struct config *c, unsigned file, char **path, unsigned *line, struct err *e)
{
    const struct section *s = find_defaults(c, file);
    AUTO_FREE(char *, value);
    AUTO_FREE(char *, checked);

    *path = NULL;
    value = s ? section_value(c, s, "include", line) : NULL;
    if (!value || !*value)
        return 0;
    if (key_check(&file_key_infos[FILE_include], value, &checked, e) < 0)
        return config_what(c, file, *line, e);
    const char *from = c->file[file].path;
    *path = *checked == '/' ? mem_strdup(checked)
                            : mem_printf("%.*s/%s", (int)(strrchr(from, '/') - from), from, checked);
    return 0;
}

/* Returns true if `path` leads, by any name, to one of the files from index `first` on, which would be an
 * include cycle. */
static bool is_being_read(const struct config *c, unsigned first, const char *path)
{
    AUTO_FREE(char *, real);

    real = path_real(path);
    for (unsigned i = first; real && i < c->files; i++) {
        AUTO_FREE(char *, other);
        other = path_real(c->file[i].path);
        if (text_equal(real, other))
            return true;
    }
    return false;
}

static int refuse_circle(const struct config *c, unsigned first, const char *path, unsigned line,
                         struct err *e)
{
    AUTO_BUF(chain, 800);
    AUTO_FREE(char *, again);

    again = path_short(path);
    for (unsigned i = first; i < c->files; i++)
        buf_printf(&chain, "%s -> ", c->file[i].label);
    (void)err_set(e, ERR_CONFIG, "include loop: %s%s", buf_str(&chain), again);
    (void)err_hint(e, "delete one of the includes");
    return config_what(c, c->files - 1, line, e);
}

/* Reads a file and the files that it includes. Returns 1 if there is no such file. */
static int read_chain(struct config *c, const char *path, struct err *e)
{
    unsigned first = c->files;
    int got = read_file(c, path, e);

    while (got == 0) {
        AUTO_FREE(char *, next);
        unsigned from = c->files - 1, line = 0;
        if (find_include(c, from, &next, &line, e) < 0)
            return -1;
        if (!next)
            return 0;
        if (is_being_read(c, first, next))
            return refuse_circle(c, first, next, line, e);
        if (c->files - first > CONFIG_INCLUDES) {
            (void)err_set(e, ERR_CONFIG, "include is more than %d deep", CONFIG_INCLUDES);
            (void)err_hint(e, "use fewer levels of files");
            return config_what(c, from, line, e);
        }
        got = read_file(c, next, e);
        if (got == 1) {
            AUTO_FREE(char *, name);
            name = path_short(next);
            (void)err_set(e, ERR_CONFIG, "include: no such file: %s", name);
            (void)err_hint(e,
                           "create the file, or delete the line; a path is relative to the including file");
            return config_what(c, from, line, e);
        }
    }
    return got;
}

struct file_keys {
    struct config *config;
    const struct section *section;
};

static int take_file_key(void *context, const struct ini_event *entry, struct err *e)
{
    struct file_keys *f = context;
    int k = key_find(file_key_infos, FILE_COUNT, entry->key);
    AUTO_FOUND(found);

    if (k < 0 || f->config->value[k])
        return 0;
    if (entry_check(f->config, f->section, entry, &found, e) < 0)
        return -1;
    f->config->value[k] = found.value;
    found.value = NULL;
    return 0;
}

/* Checks the keys of the files themselves at once, because runs that resolve no profile need them. */
static int take_file_keys(struct config *c, struct err *e)
{
    for (const struct section *s = section_find(c, SECTION_DEFAULTS, ""); s; s = section_weaker(c, s)) {
        struct file_keys f = {c, s};
        if (section_each(c, s, take_file_key, &f, e) < 0)
            return -1;
    }
    for (size_t k = 0; k < FILE_COUNT; k++) {
        if (c->value[k] && *c->value[k])
            continue;
        free(c->value[k]);
        c->value[k] = mem_strdup(file_key_infos[k].built_in);
    }
    return 0;
}

/* Returns the path of the user's file, malloced; NULL if there is no home directory. *alone is true if
 * BROKER_CONFIG names it and no other file is read. */
static char *user_file(bool *alone)
{
    const char *given = secure_getenv("BROKER_CONFIG");
    AUTO_FREE(char *, folder);

    *alone = given && *given;
    if (*alone)
        return path_absolute(given);
    folder = path_xdg("XDG_CONFIG_HOME", ".config");
    return folder ? mem_printf("%s/broker/config", folder) : NULL;
}

static int read_all(struct config *c, struct err *e)
{
    bool alone;
    int got = 0;

    c->user_file = user_file(&alone);
    if (c->user_file)
        got = read_chain(c, c->user_file, e);
    if (alone) {
        c->is_missing = got == 1;
        return got;
    }
    return got < 0 ? -1 : read_chain(c, SYSTEM_FILE, e);
}

char *config_user_path(void)
{
    bool alone;

    return user_file(&alone);
}

int config_load(struct config **out, struct err *e)
{
    return config_load_text(out, NULL, e);
}

int config_load_text(struct config **out, const struct buf *text, struct err *e)
{
    AUTO_CONFIG(c);

    *out = NULL;
    c = mem_alloc(1, sizeof *c);
    c->instead = text;
    if (read_all(c, e) < 0 || take_file_keys(c, e) < 0)
        return -1;
    c->instead = NULL;
    section_list_names(c);
    *out = c;
    c = NULL;
    return 0;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->files; i++) {
        free(c->file[i].path);
        free(c->file[i].label);
        buf_release(&c->file[i].text);
    }
    for (unsigned kind = 0; kind <= SECTION_TUNNEL; kind++)
        free(c->names[kind]);
    for (size_t k = 0; k < FILE_COUNT; k++)
        free(c->value[k]);
    free(c->section);
    free(c->table);
    free(c->user_file);
    free(c);
}

void config_free_cleanup(struct config **c)
{
    config_free(*c);
}

int config_found(const struct config *c, struct err *e)
{
    return c->is_missing ? config_missing(c, e) : 0;
}

void config_may_be_new(struct config *c)
{
    c->is_missing = false;
}

const char *config_user_file(const struct config *c)
{
    return c->user_file;
}

const char *const *config_profile_names(const struct config *c)
{
    return c->names[SECTION_PROFILE];
}

const char *const *config_tunnel_names(const struct config *c)
{
    return c->names[SECTION_TUNNEL];
}

bool config_profile_place(const struct config *c, const char *name, const char **file, unsigned *line)
{
    const struct section *s = section_find(c, SECTION_PROFILE, name);

    if (s) {
        *file = c->file[s->file].path;
        *line = section_line(c, s);
    }
    return s != NULL;
}

bool config_profile_is_own(const struct config *c, const char *name)
{
    const struct section *s = section_find(c, SECTION_PROFILE, name);

    return s && c->user_file && text_equal(c->file[s->file].path, c->user_file);
}

const char *config_file_key(const struct config *c, enum file_key k)
{
    return c->value[k];
}
