/* SPDX-License-Identifier: MIT */
/*
 * Our option file is read last, so its values win. But a few options cannot be overridden, because they
 * cannot be unset, or not in every version of a client family. If a user's file contains one of them, the run
 * is refused, because it could reach another server, or trust another certificate, than the profile says.
 * Groups are not distinguished: a line in a group that the client does not read is refused too, and the same
 * hint fixes it.
 */
#include "includes.h"

#include <dirent.h>
#include <string.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>

#define FILE_MOST (1024 * 1024)
#define DEPTH_MOST 8
/* The clients accept unambiguous prefixes of option names; shorter prefixes than this are ambiguous. */
#define NAME_LEAST 5
#define LOOSE "loose-"
#define BLANKS " \t\r"

static const struct stubborn {
    const char *name;
    enum flavour flavour;
    bool verification; /* true: matters only if the certificate is verified; false: only if we set the
                          server's address */
    const char *why;
} table[] = {
    {"ssl-fp", FLAVOUR_MARIADB, true, "would change how the server's certificate is verified"},
    {"ssl-fplist", FLAVOUR_MARIADB, true, "would change how the server's certificate is verified"},
    {"dns-srv-name", FLAVOUR_MYSQL, false, "would set another server"},
};

struct scan {
    enum flavour flavour;
    bool verifies, own_place;
    struct err *e;
};

static int scan_file(const struct scan *s, const char *path, int depth);

/* Returns the normalised name of an option line: `-` for `_`, and no loose- prefix. Malloced. */
static char *option_name(const char *line)
{
    char *name = mem_strndup(line, strcspn(line, " \t=\r\n"));

    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    if (text_starts(name, LOOSE))
        memmove(name, name + sizeof LOOSE - 1, strlen(name + sizeof LOOSE - 1) + 1);
    return name;
}

static int check_option(const struct scan *s, const char *line, const char *path, unsigned number)
{
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, place);

    name = option_name(line);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct stubborn *o = &table[i];
        bool matters = o->flavour == s->flavour && (o->verification ? s->verifies : s->own_place);
        if (!matters || strlen(name) < NAME_LEAST || !text_starts(o->name, name))
            continue;
        place = path_short(path);
        (void)err_set(s->e, ERR_CONFIG, "'%s' %s", o->name, o->why);
        (void)err_what(s->e, "%s:%u", place, number);
        return err_hint(s->e, "delete the line, or set my_cnf = no, which leaves out your option files");
    }
    return 0;
}

static int scan_folder(const struct scan *s, const char *path, int depth)
{
    DIR *dir = opendir(path);
    int result = 0;

    for (struct dirent *d = dir ? readdir(dir) : NULL; d && result == 0; d = readdir(dir)) {
        AUTO_FREE(char *, name);
        name = mem_printf("%s/%s", path, d->d_name);
        if (text_ends(d->d_name, ".cnf"))
            result = scan_file(s, name, depth + 1);
    }
    if (dir)
        (void)closedir(dir);
    return result;
}

/* Returns the argument of `!include FILE` or `!includedir FOLDER`; NULL if the line is not that directive.
 * The path may contain blanks. For MySQL's clients a comment may follow it; for MariaDB's a `#` is part of
 * it. */
static char *included(const struct scan *s, const char *line, const char *word)
{
    size_t n = strlen(word);

    line += 1 + strspn(line + 1, BLANKS);
    if (!text_starts(line, word) || !line[n] || !strchr(BLANKS, line[n]))
        return NULL;
    line += n + strspn(line + n, BLANKS);
    n = strcspn(line, s->flavour == FLAVOUR_MARIADB ? "\n" : "#\n");
    while (n && strchr(BLANKS, line[n - 1]))
        n--;
    return mem_strndup(line, n);
}

static int scan_line(const struct scan *s, const char *line, const char *path, unsigned number, int depth)
{
    AUTO_FREE(char *, file);
    AUTO_FREE(char *, folder);

    line += strspn(line, BLANKS);
    if (*line != '!')
        return check_option(s, line, path, number);
    file = included(s, line, "include");
    folder = included(s, line, "includedir");
    if (file)
        return scan_file(s, file, depth + 1);
    return folder ? scan_folder(s, folder, depth) : 0;
}

/* A file that cannot be read is skipped, because the client cannot read it either. */
static int scan_file(const struct scan *s, const char *path, int depth)
{
    AUTO_BUF(text, FILE_MOST);
    struct err ignored = ERR_INIT;
    unsigned number = 1;

    if (depth > DEPTH_MOST || file_read(path, FILE_ANY, &text, &ignored) != 0)
        return 0;
    for (const char *line = buf_str(&text); *line; number++) {
        if (scan_line(s, line, path, number, depth) < 0)
            return -1;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return 0;
}

int includes_check(const struct words *files, enum flavour f, bool verifies, bool own_place, struct err *e)
{
    const struct scan s = {f, verifies, own_place, e};

    if (f == FLAVOUR_MARIADB ? !verifies : !own_place)
        return 0;
    for (size_t i = 0; i < files->count; i++) {
        if (scan_file(&s, files->word[i], 0) < 0)
            return -1;
    }
    return 0;
}
