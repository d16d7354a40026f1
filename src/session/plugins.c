/* SPDX-License-Identifier: MIT */
/*
 * MariaDB's client sends the password if the server asks for it: in cleartext (mysql_clear_password, and
 * dialog, which answers the first question with the password), or encrypted with the server's key
 * (sha256_password). It has no option against that, but these mechanisms are plug-ins. So if TLS is not
 * verified, the client gets a plug-in folder without them. caching_sha2_password stays, although it does
 * both: ordinary accounts of MySQL servers need it, and below `verify-ca` a man in the middle is accepted
 * anyway. If the client's own folder cannot be found, it gets an empty folder: an unusual mechanism then
 * fails (error 2059), and the password is not revealed.
 */
#include "plugins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

/* The folders in which distributions install the plug-ins of MariaDB's client library. Debian has one for
 * each architecture. */
#define LIBRARIES "/usr/lib"
static const char *const folders[] = {"/usr/lib64/mariadb/plugin", "/usr/lib/mariadb/plugin",
                                      "/usr/lib64/mysql/plugin", "/usr/lib/mysql/plugin",
                                      "/usr/local/lib/mariadb/plugin"};

static bool gives_the_password_away(const char *name)
{
    static const char *const names[] = {"mysql_clear_password.so", "dialog.so", "sha256_password.so"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (text_equal(name, names[i]))
            return true;
    }
    return false;
}

static DIR *open_folder(const char *path)
{
    DIR *dir = opendir(path);

    if (!dir && errno == ENOMEM)
        err_out_of_memory();
    return dir;
}

/* glob(3) is not used, because glibc's frees memory twice if memory is exhausted. */
static char *find_folder(void)
{
    DIR *dir = open_folder(LIBRARIES);
    char *path = NULL;

    for (struct dirent *d = dir ? readdir(dir) : NULL; d && !path; d = readdir(dir)) {
        AUTO_FREE(char *, candidate);
        candidate = mem_printf("%s/%s/libmariadb3/plugin", LIBRARIES, d->d_name);
        if (d->d_name[0] != '.' && access(candidate, F_OK) == 0)
            path = mem_strdup(candidate);
    }
    if (dir)
        (void)closedir(dir);
    for (size_t i = 0; i < ARRAY_LEN(folders) && !path; i++) {
        if (access(folders[i], F_OK) == 0)
            path = mem_strdup(folders[i]);
    }
    return path;
}

static int not_made(const char *runtime, struct err *e)
{
    (void)err_set(e, ERR_IO, "%s", strerror(errno));
    (void)err_what(e, "%s", runtime);
    return err_hint(e, "set XDG_RUNTIME_DIR to a folder that you own, mode 0700");
}

/* Adds the missing links and keeps existing ones. So it also completes a folder that another process is still
 * filling, or that a clean-up of old files has emptied. */
static int link_all(const char *from, const char *to, struct err *e)
{
    DIR *dir = open_folder(from);
    int result = 0;

    for (struct dirent *d = dir ? readdir(dir) : NULL; d && result == 0; d = readdir(dir)) {
        if (!text_ends(d->d_name, ".so") || gives_the_password_away(d->d_name))
            continue;
        AUTO_FREE(char *, target);
        AUTO_FREE(char *, name);
        target = mem_printf("%s/%s", from, d->d_name);
        name = mem_printf("%s/%s", to, d->d_name);
        if (symlink(target, name) < 0 && errno != EEXIST)
            result = not_made(to, e);
    }
    if (dir)
        (void)closedir(dir);
    return result;
}

int plugins_restricted(char **out, struct err *e)
{
    AUTO_FREE(char *, from);
    AUTO_FREE(char *, runtime);
    AUTO_FREE(char *, path);
    char hash[33];

    if (path_runtime(&runtime, e) < 0)
        return -1;
    from = find_folder();
    text_hash(from, from ? strlen(from) : 0, hash);
    path = mem_printf("%s/plugins-%.16s", runtime, hash);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return not_made(runtime, e);
    if (from && link_all(from, path, e) < 0)
        return -1;
    *out = path;
    path = NULL;
    return 0;
}
