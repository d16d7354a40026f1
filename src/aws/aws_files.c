/* SPDX-License-Identifier: MIT */
/*
 * Finds both files and reads them into one list of sections, in file order. They are merged when a property
 * is looked up, so that a file with thousands of profiles is parsed in one pass. This file knows the kinds of
 * sections, but not their keys (see chain.c).
 */
#include <aws/files.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/space.h>
#include <base/text.h>

struct reader {
    struct aws_files *files;
    enum aws_file file;
    bool is_open; /* the current section is not ignored */
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
    words_release(&f->names);
    f->section = NULL;
    f->property = NULL;
    f->section_count = f->property_count = 0;
}

/* --- sections and properties, from the parser's events */

/* Doubles the capacity of a list if it is full. */
static void *room_for_one(void *list, size_t count, size_t size)
{
    return count & (count - 1) ? list : mem_grow(list, count ? 2 * count : 1, size);
}

/* Returns the second word of a header that has exactly two, split as sh does; otherwise NULL. */
static const char *second_word(struct aws_files *f, const char *header)
{
    AUTO_WORDS(words);
    struct err ignored = ERR_INIT;

    if (text_split_words(header, &words, &ignored) < 0 || words.count != 2)
        return NULL;
    words_take(&f->names, words.word[--words.count]);
    return f->names.word[f->names.count - 1];
}

/* Returns the name in a header of the config file and sets *kind; NULL if the section is to be ignored. As in
 * the AWS CLI, a header only needs to start with the kind ("profilex dev" is a profile too). */
static const char *classify_config(struct aws_files *f, const char *header, enum aws_section_kind *kind)
{
    static const struct {
        const char *prefix;
        enum aws_section_kind kind;
    } prefixes[] = {{"profile", AWS_PROFILE}, {"sso-session", AWS_SSO_SESSION}, {"services", AWS_SERVICES}};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        *kind = prefixes[i].kind;
        if (text_starts(header, prefixes[i].prefix))
            return second_word(f, header);
    }
    *kind = AWS_PROFILE;
    return text_equal(header, "default") ? header : NULL;
}

static void begin_section(struct reader *r, const struct ini_event *event)
{
    struct aws_files *f = r->files;
    struct aws_section s = {
        .header = event->section, .file = r->file, .line = event->line, .first = f->property_count};

    s.name = s.header;
    if (text_equal(s.header, "DEFAULT"))
        s.kind = AWS_DEFAULTS;
    else if (r->file == AWS_FILE_CONFIG)
        s.name = classify_config(f, s.header, &s.kind);
    r->is_open = s.name;
    if (!r->is_open)
        return;
    f->section = room_for_one(f->section, f->section_count, sizeof *f->section);
    f->section[f->section_count++] = s;
}

static void note_fault(struct aws_section *s, const struct ini_event *event)
{
    if (s->fault)
        return;
    s->fault = event->fault;
    s->fault_line = event->line;
}

static int take_event(void *context, const struct ini_event *event, struct err *e)
{
    struct reader *r = context;
    struct aws_files *f = r->files;

    (void)e;
    if (!event->key && !event->fault)
        begin_section(r, event);
    if (!r->is_open)
        return 0;
    struct aws_section *section = &f->section[f->section_count - 1];
    if (event->fault)
        note_fault(section, event);
    if (!event->key)
        return 0;
    f->property = room_for_one(f->property, f->property_count, sizeof *f->property);
    f->property[f->property_count++] = (struct aws_property){event->key, event->value, event->line, r->file};
    section->count++;
    return 0;
}

/* --- reading the two files */

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

/* Returns whether the path is something other than a regular file (/dev/null, a directory, a pipe), which
 * counts as a missing file, as in the AWS CLI. */
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
            return err_hint(e, "%s sets another file",
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

/* --- lookup */

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

/* Finds a property in one section. */
static const struct aws_property *find_in(const struct aws_files *f, const struct aws_section *s,
                                          const char *key)
{
    for (size_t i = s->first; i < s->first + s->count; i++) {
        if (strcmp(f->property[i].key, key) == 0)
            return &f->property[i];
    }
    return NULL;
}

/* Finds a property in the last section of that name in one file, or in the file's [DEFAULT]. */
static const struct aws_property *find(const struct aws_files *f, enum aws_file file,
                                       enum aws_section_kind kind, const char *name, const char *key)
{
    const struct aws_section *section = NULL;
    const struct aws_property *common = NULL, *own = NULL;

    for (size_t i = 0; i < f->section_count; i++) {
        const struct aws_section *s = &f->section[i];
        if (s->file != file)
            continue;
        if (is_it(s, kind, name))
            section = s;
        else if (s->kind == AWS_DEFAULTS && !common)
            common = find_in(f, s, key);
    }
    own = section ? find_in(f, section, key) : NULL;
    return own || !section ? own : common;
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

const struct aws_property *aws_files_conflict(const struct aws_files *f, const char *profile,
                                              const char *session)
{
    for (size_t i = 0; i < f->section_count; i++) {
        const struct aws_section *s = &f->section[i];
        if (!is_it(s, AWS_SSO_SESSION, session) && s->kind != AWS_DEFAULTS)
            continue;
        for (size_t j = s->first; j < s->first + s->count; j++) {
            const char *key = f->property[j].key;
            const struct aws_property *shared = aws_files_property(f, AWS_SSO_SESSION, session, key),
                                      *own = shared ? aws_files_property(f, AWS_PROFILE, profile, key) : NULL;
            if (own && strcmp(own->value, shared->value) != 0)
                return own;
        }
    }
    return NULL;
}

/* As in the AWS CLI, each line has one sub-property, and the last one of a name counts. */
bool aws_files_nested(const struct aws_property *p, const char *key, struct buf *out)
{
    const char *line = p && *p->value == '\n' ? p->value : "";
    bool found = false;

    while (*line) {
        line += strspn(line, "\n");
        size_t n = strcspn(line, "\n");
        const char *equals = memchr(line, '=', n), *value = equals ? equals + 1 : NULL, *end = line + n;
        if (equals && space_trim(line, (size_t)(equals - line)) == strlen(key) && text_starts(line, key)) {
            value += space_lead(value, (size_t)(end - value));
            buf_clear(out);
            buf_add(out, value, (size_t)(end - value));
            found = true;
        }
        line = end;
    }
    return found;
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
