/* SPDX-License-Identifier: MIT */
/* Completes the names of programs on PATH for `exec`, because shells complete only file names there. */
#include "command.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/text.h>

#define PROGRAMS_MOST 20000

static bool is_program(const char *folder, const char *name)
{
    AUTO_FREE(char *, path);
    struct stat st;

    path = mem_printf("%s/%s", folder, name);
    return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void add_folder(const char *folder, const char *prefix, struct words *out)
{
    DIR *files = *folder == '/' ? opendir(folder) : NULL;

    for (struct dirent *d; files && out->count < PROGRAMS_MOST && (d = readdir(files));) {
        if (text_starts(d->d_name, prefix) && is_program(folder, d->d_name))
            words_add(out, d->d_name);
    }
    if (files)
        (void)closedir(files);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void complete_programs(const char *prefix)
{
    AUTO_WORDS(found);
    const char *path = secure_getenv("PATH");

    for (path = path ? path : ""; *path; path += strcspn(path, ":") + (strchr(path, ':') != NULL)) {
        AUTO_FREE(char *, folder);
        folder = mem_strndup(path, strcspn(path, ":"));
        add_folder(folder, prefix, &found);
    }
    if (found.count)
        qsort(found.word, found.count, sizeof *found.word, compare);
    for (size_t i = 0; i < found.count; i++) {
        AUTO_BUF(clean, 4096);
        if (i && text_equal(found.word[i], found.word[i - 1]))
            continue;
        text_sanitise_line(&clean, found.word[i], strlen(found.word[i]));
        if (text_equal(buf_str(&clean), found.word[i]))
            (void)printf("%s\tprogram\n", found.word[i]);
    }
}
