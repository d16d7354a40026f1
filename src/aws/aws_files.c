/*
 * Where the two files are, and what they hold as one list of sections in file order. Merging is done when
 * something is asked for, so that a file with thousands of profiles costs one pass. It knows which sections
 * count and no key of theirs: the chain does (chain.c).
 */
#include <aws/files.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/ini.h>

struct reader {
    struct aws_files *files;
    enum aws_file file;
    bool is_open;              /* the current section counts */
    bool has_prefixed_default; /* [profile default] switches every [default] of its file off */
};

void aws_files_release(struct aws_files *f)
{
    for (size_t i = 0; i < AWS_FILES; i++) {
        free(f->path[i]);
        f->path[i] = NULL;
        buf_release(&f->text[i]);
    }
    free(f->section);
    free(f->property);
    f->section = NULL;
    f->property = NULL;
    f->section_count = f->property_count = 0;
}

/* --- sections and properties from the lexer's events */

/* Doubles: a list of n grows log n times. */
static void *room_for_one(void *list, size_t count, size_t size)
{
    return count & (count - 1) ? list : mem_grow(list, count ? 2 * count : 1, size);
}

static bool is_name(const char *s)
{
    return *s && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.%@:+")];
}

/* What follows PREFIX and blanks; NULL where it is another word. */
static const char *after_prefix(const char *header, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(header, prefix, n) != 0 || (header[n] != ' ' && header[n] != '\t'))
        return NULL;
    return header + n + strspn(header + n, " \t");
}

/* Which section a header begins; false: one that does not count. */
static bool classify(struct reader *r, const char *header, enum aws_section_kind *kind, const char **name)
{
    static const struct {
        const char *prefix;
        enum aws_section_kind kind;
    } prefixes[] = {{"profile", AWS_PROFILE}, {"sso-session", AWS_SSO_SESSION}, {"services", AWS_SERVICES}};

    *kind = AWS_PROFILE;
    *name = header;
    if (r->file == AWS_FILE_CREDENTIALS)
        return is_name(header);
    if (text_equal(header, "default"))
        return !r->has_prefixed_default;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        *name = after_prefix(header, prefixes[i].prefix);
        *kind = prefixes[i].kind;
        if (*name)
            return is_name(*name);
    }
    return false;
}

/* [default] sections that do not count after all: no section that is asked for has an empty name. */
static void drop_default(struct reader *r)
{
    for (size_t i = 0; i < r->files->section_count; i++) {
        struct aws_section *s = &r->files->section[i];
        if (s->file == r->file && s->kind == AWS_PROFILE && text_equal(s->name, "default"))
            s->name = "";
    }
}

static void begin_section(struct reader *r, const struct ini_event *event)
{
    struct aws_files *f = r->files;
    enum aws_section_kind kind;
    const char *name;

    r->is_open = classify(r, event->section, &kind, &name);
    if (!r->is_open)
        return;
    if (kind == AWS_PROFILE && name != event->section && text_equal(name, "default") &&
        !r->has_prefixed_default) {
        r->has_prefixed_default = true;
        drop_default(r);
    }
    f->section = room_for_one(f->section, f->section_count, sizeof *f->section);
    f->section[f->section_count++] = (struct aws_section){
        .kind = kind, .name = name, .file = r->file, .line = event->line, .first = f->property_count};
}

static int take_event(void *context, const struct ini_event *event, struct err *e)
{
    struct reader *r = context;
    struct aws_files *f = r->files;

    (void)e;
    if (!event->key) {
        begin_section(r, event);
        return 0;
    }
    if (!r->is_open)
        return 0;
    f->property = room_for_one(f->property, f->property_count, sizeof *f->property);
    f->property[f->property_count++] = (struct aws_property){event->key, event->value, event->line, r->file};
    f->section[f->section_count - 1].count++;
    return 0;
}

/* --- the two files */

static int parse_one(struct aws_files *f, enum aws_file file, struct err *e)
{
    struct reader r = {.files = f, .file = file};
    struct buf *text = &f->text[file];
    AUTO_FREE(char *, name);
    size_t mark;

    if (!text->len)
        return 0;
    (void)buf_str(text);
    mark = text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    name = f->path[file] ? path_short(f->path[file]) : mem_strdup(file ? "credentials" : "config");
    return ini_parse(name, text->data + mark, text->len - mark, INI_AWS, take_event, &r, e);
}

static char *locate(const char *named, const char *fallback)
{
    const char *home = path_home();

    if (named)
        return path_expand(named);
    return home ? mem_printf("%s/.aws/%s", home, fallback) : NULL;
}

/* /dev/null, a folder, a pipe: as for the AWS CLI, no file. */
static bool is_no_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int read_one(const char *path, struct buf *out, struct err *e)
{
    if (file_read(path, FILE_ANY, out, e) >= 0)
        return 0;
    if (!is_no_file(path))
        return -1;
    err_clear(e);
    return 0;
}

int aws_files_load(const struct aws_env *env, struct aws_files *out, struct err *e)
{
    out->path[AWS_FILE_CONFIG] = locate(env->config_file, "config");
    out->path[AWS_FILE_CREDENTIALS] = locate(env->credentials_file, "credentials");
    for (size_t i = 0; i < AWS_FILES; i++) {
        if (!out->path[i])
            continue;
        if (read_one(out->path[i], &out->text[i], e) < 0)
            return err_hint(e, "%s names another file",
                            i == AWS_FILE_CONFIG ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE");
        if (parse_one(out, (enum aws_file)i, e) < 0)
            return -1;
    }
    return 0;
}

int aws_files_parse(const char *config, size_t config_len, const char *credentials, size_t credentials_len,
                    struct aws_files *out, struct err *e)
{
    if (config)
        buf_add(&out->text[AWS_FILE_CONFIG], config, config_len);
    if (credentials)
        buf_add(&out->text[AWS_FILE_CREDENTIALS], credentials, credentials_len);
    return parse_one(out, AWS_FILE_CONFIG, e) < 0 || parse_one(out, AWS_FILE_CREDENTIALS, e) < 0 ? -1 : 0;
}

/* --- looking things up */

static bool is_it(const struct aws_section *s, enum aws_section_kind kind, const char *name)
{
    return s->kind == kind && strcmp(s->name, name) == 0;
}

bool aws_files_has(const struct aws_files *f, enum aws_section_kind kind, const char *name)
{
    for (size_t i = 0; i < f->section_count; i++) {
        if (is_it(&f->section[i], kind, name))
            return true;
    }
    return false;
}

/* The last of that name in one file. */
static const struct aws_property *find(const struct aws_files *f, enum aws_file file,
                                       enum aws_section_kind kind, const char *name, const char *key)
{
    const struct aws_property *found = NULL;

    for (size_t i = 0; i < f->section_count; i++) {
        const struct aws_section *s = &f->section[i];
        if (s->file != file || !is_it(s, kind, name))
            continue;
        for (size_t j = s->first; j < s->first + s->count; j++) {
            if (strcmp(f->property[j].key, key) == 0)
                found = &f->property[j];
        }
    }
    return found;
}

const struct aws_property *aws_files_property_of(const struct aws_files *f, enum aws_file file,
                                                 const char *name, const char *key)
{
    return find(f, file, AWS_PROFILE, name, key);
}

const struct aws_property *aws_files_property(const struct aws_files *f, enum aws_section_kind kind,
                                              const char *name, const char *key)
{
    const struct aws_property *found = find(f, AWS_FILE_CREDENTIALS, kind, name, key);

    return found ? found : find(f, AWS_FILE_CONFIG, kind, name, key);
}

bool aws_files_nested(const struct aws_property *p, const char *key, struct buf *out)
{
    const char *line = p ? p->value : "";
    size_t n = strlen(key);

    for (; *line; line += strcspn(line, "\n")) {
        line += *line == '\n';
        const char *end = line + strcspn(line, "\n"), *equals = memchr(line, '=', (size_t)(end - line));
        if (!equals || strncmp(line, key, n) != 0 || line + n + strspn(line + n, " \t") != equals)
            continue;
        equals++;
        equals += strspn(equals, " \t");
        buf_add(out, equals, (size_t)(end - equals));
        return true;
    }
    return false;
}

char *aws_files_place(const struct aws_files *f, const struct aws_property *p)
{
    AUTO_FREE(char *, name);

    name = f->path[p->file] ? path_short(f->path[p->file]) : mem_strdup(p->file ? "credentials" : "config");
    return mem_printf("%s:%u", name, p->line);
}

bool aws_is_true(const char *value)
{
    return value && text_equal_nocase(value, "true");
}
