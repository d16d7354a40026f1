/* SPDX-License-Identifier: MIT */
/*
 * Checks whether a section can be used. An error in one section does not affect the others, although the AWS
 * CLI would refuse the whole file. A section that has an invalid line or is duplicated is refused, because
 * the database server would give no reason for refusing a token signed with the wrong keys.
 */
#include <aws/files.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>

static int refuse(const struct aws_files *f, const struct aws_section *s, unsigned line, struct err *e)
{
    AUTO_FREE(char *, place);
    const struct aws_property at = {.file = s->file, .line = line};

    place = aws_files_place(f, &at);
    (void)err_what(e, "%s", place);
    return err_hint(e, "%s",
                    s->fault && s->fault_line == line ? s->fault->hint
                                                      : "delete one: the AWS CLI refuses such a file");
}

static int check_fault(const struct aws_files *f, const struct aws_section *s, struct err *e)
{
    if (!s->fault)
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s", s->fault->why);
    return refuse(f, s, s->fault_line, e);
}

/* Different spellings of a section name are not duplicates. */
static int check_repeated(const struct aws_files *f, const struct aws_section *s, struct err *e)
{
    for (const struct aws_section *before = f->section; before < s; before++) {
        if (before->file != s->file || strcmp(before->header, s->header) != 0)
            continue;
        (void)err_set(e, ERR_CONFIG, "[%s] again, after line %u", s->header, before->line);
        return refuse(f, s, s->line, e);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct aws_property *x = *(const struct aws_property *const *)a,
                              *y = *(const struct aws_property *const *)b;
    int by_key = strcmp(x->key, y->key);

    return by_key ? by_key : (int)(x > y) - (int)(x < y);
}

static int check_keys(const struct aws_files *f, const struct aws_section *s, struct err *e)
{
    AUTO_FREE(const struct aws_property **, key);

    key = mem_alloc(s->count + 1, sizeof *key);
    for (size_t i = 0; i < s->count; i++)
        key[i] = &f->property[s->first + i];
    qsort(key, s->count, sizeof *key, compare);
    for (size_t i = 1; i < s->count; i++) {
        if (strcmp(key[i]->key, key[i - 1]->key) != 0)
            continue;
        (void)err_set(e, ERR_CONFIG, "%s again, after line %u", key[i]->key, key[i - 1]->line);
        return refuse(f, s, key[i]->line, e);
    }
    return 0;
}

static int check(const struct aws_files *f, const struct aws_section *s, struct err *e)
{
    return check_fault(f, s, e) < 0 || check_repeated(f, s, e) < 0 || check_keys(f, s, e) < 0 ? -1 : 0;
}

int aws_files_check(const struct aws_files *f, enum aws_section_kind kind, const char *name, struct err *e)
{
    bool is_used[AWS_FILES] = {false};

    for (size_t i = 0; i < f->section_count; i++) {
        const struct aws_section *s = &f->section[i];
        if (s->kind != kind || strcmp(s->name, name) != 0)
            continue;
        is_used[s->file] = true;
        if (check(f, s, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < f->section_count; i++) {
        const struct aws_section *s = &f->section[i];
        if (s->kind == AWS_DEFAULTS && is_used[s->file] && check(f, s, e) < 0)
            return -1;
    }
    return 0;
}
