/* SPDX-License-Identifier: MIT */
/* Looks up properties of one profile and makes errors that name the file and line. */
#include "chain_profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <aws/keys.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

const struct aws_property *scope_property(const struct scope *s, const char *key)
{
    return aws_files_property(s->files, AWS_PROFILE, s->name, key);
}

const struct aws_property *scope_property_of(const struct scope *s, enum aws_file file, const char *key)
{
    return aws_files_property_of(s->files, file, s->name, key);
}

const char *scope_value(const struct scope *s, const char *key)
{
    const struct aws_property *p = scope_property(s, key);

    return p && *p->value ? p->value : NULL;
}

int scope_text(const struct scope *s, const char *key, const char **out, struct err *e)
{
    const struct aws_property *p = scope_property(s, key);

    if (!p)
        return 0;
    if (!*p->value)
        return scope_refuse(s, p, "give it a value, or delete the line", e, "%s is empty", key);
    if (*p->value == '\n')
        return scope_refuse(s, p, "write the value on the line of its key", e, "%s has sub-properties", key);
    *out = p->value;
    return 1;
}

/* Returns a hint for the common mistakes that lead to such a value. */
static const char *hint_for_word(const char *value)
{
    if (strchr(value, '\n'))
        return "an indented line continues the value above it: delete its leading spaces";
    if (strstr(value, " #") || strstr(value, " ;") || strstr(value, "\t#") || strstr(value, "\t;"))
        return "a comment needs a line of its own";
    return "type the value again: pasted text may have invisible characters";
}

int scope_word(const struct scope *s, const struct aws_property *p, struct err *e)
{
    const char *found = p ? aws_word_fault(p->value) : NULL;

    return found ? scope_refuse(s, p, hint_for_word(p->value), e, "%s contains %s", p->key, found) : 0;
}

bool scope_has_keys(const struct scope *s)
{
    return scope_property(s, "aws_access_key_id") || scope_property(s, "aws_secret_access_key");
}

const char *scope_section_name(const struct aws_files *files, const char *name)
{
    for (size_t i = 0; i < files->section_count; i++) {
        const struct aws_section *section = &files->section[i];
        if (section->kind == AWS_PROFILE && strcmp(section->name, name) == 0)
            return section->name;
    }
    return NULL;
}

int scope_refuse(const struct scope *s, const struct aws_property *at, const char *hint, struct err *e,
                 const char *fmt, ...)
{
    AUTO_FREE(char *, place);
    char why[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    place = aws_files_place(s->files, at);
    (void)err_set(e, ERR_CONFIG, "%s", why);
    (void)err_what(e, "%s", place);
    return err_hint(e, "%s", hint);
}

#define CANDIDATES_MOST 256

int scope_no_profile(const struct scope *s, struct err *e)
{
    const char *names[CANDIDATES_MOST + 1] = {NULL}, *meant;
    size_t n = 0;

    for (size_t i = 0; i < s->files->section_count && n < CANDIDATES_MOST; i++) {
        if (s->files->section[i].kind == AWS_PROFILE && *s->files->section[i].name)
            names[n++] = s->files->section[i].name;
    }
    (void)err_set(e, ERR_CONFIG, "no AWS profile '%s'", s->name);
    for (size_t i = 0; i < AWS_FILES; i++) {
        AUTO_FREE(char *, path);
        if (!s->files->path[i])
            continue;
        path = path_short(s->files->path[i]);
        (void)err_detail(e, "%s  %s", path, s->files->text[i].len ? "not in it" : "no such file, or empty");
    }
    meant = text_closest(s->name, names);
    return meant ? err_hint(e, "did you mean '%s'?", meant)
                 : err_hint_sh(e, "aws configure --profile %s", s->name);
}
