/* SPDX-License-Identifier: MIT */
/* The program's folders (XDG base directory specification), and paths shortened for display. */
#include <base/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/log.h>
#include <base/mem.h>

#define LINKS_MOST 8

const char *path_home(void)
{
    const char *home = secure_getenv("HOME");

    if (home && *home == '/')
        return home;
    const struct passwd *pw = getpwuid(geteuid());
    return pw && pw->pw_dir && *pw->pw_dir == '/' ? pw->pw_dir : NULL;
}

char *path_xdg(const char *variable, const char *fallback)
{
    const char *value = secure_getenv(variable), *home;

    if (value && *value == '/')
        return mem_strdup(value);
    home = path_home();
    return home ? mem_printf("%s/%s", home, fallback) : NULL;
}

static int runtime_make(const char *base, const char *name, struct err *e)
{
    AUTO_FD(folder);
    struct stat st;

    folder = path_trust(base, PATH_GROUP_NONE, e);
    if (folder < 0)
        return -1;
    if (mkdirat(folder, name, 0700) < 0 && errno != EEXIST)
        return err_set(e, ERR_CONFIG, "%s", strerror(errno));
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(e, ERR_CONFIG, "%s", strerror(errno));
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return err_set(e, ERR_CONFIG, "not a folder that you own");
    return st.st_mode & 077 ? err_set(e, ERR_CONFIG, "other users have access") : 0;
}

int path_runtime(char **out, struct err *e)
{
    const char *base = secure_getenv("XDG_RUNTIME_DIR"), *tmp = secure_getenv("TMPDIR");
    AUTO_FREE(char *, first);
    AUTO_FREE(char *, other);
    AUTO_FREE(char *, name);
    struct err why = ERR_INIT, also = ERR_INIT;
    static bool said;

    first = base && *base == '/' ? mem_printf("%s/broker", base) : NULL;
    if (first && runtime_make(base, "broker", &why) == 0) {
        *out = first;
        first = NULL;
        return 0;
    }
    tmp = tmp && *tmp == '/' ? tmp : "/tmp";
    name = mem_printf("broker-%u", (unsigned)geteuid());
    other = mem_printf("%s/%s", tmp, name);
    if (runtime_make(tmp, name, &also) == 0) {
        if (first && !said)
            log_step("runtime", "%s: %s; instead: %s", first, why.msg, other);
        said = true;
        *out = other;
        other = NULL;
        return 0;
    }
    (void)err_set(e, ERR_CONFIG, "%s", first ? why.msg : also.msg);
    (void)err_what(e, "%s", first ? first : other);
    if (first)
        (void)err_detail(e, "%s: %s", other, also.msg);
    return err_hint(e, "set XDG_RUNTIME_DIR to a folder that you own, mode 0700");
}

/* If memory is exhausted the program ends: returning NULL would mean "no such path", and a symlink would be
 * overwritten or another client used. */
char *path_real(const char *path)
{
    char *real = realpath(path, NULL);

    if (!real && errno == ENOMEM)
        err_out_of_memory();
    return real;
}

char *path_expand(const char *path)
{
    const char *home = path[0] == '~' && path[1] == '/' ? path_home() : NULL;

    return home ? mem_printf("%s%s", home, path + 1) : mem_strdup(path);
}

char *path_absolute(const char *path)
{
    AUTO_FREE(char *, full);
    AUTO_FREE(char *, here);

    full = path_expand(path);
    here = *full == '/' ? NULL : getcwd(NULL, 0);
    return here ? mem_printf("%s/%s", here[1] ? here : "", full) : mem_strdup(full);
}

char *path_short(const char *path)
{
    const char *home = path_home();
    size_t n = home ? strlen(home) : 0;

    while (n > 1 && home[n - 1] == '/')
        n--;
    if (n > 1 && strncmp(path, home, n) == 0 && path[n] == '/')
        return mem_printf("~%s", path + n);
    return mem_strdup(path);
}

/* Returns the target of a symlink as an absolute path, malloced; NULL if `path` is not a symlink. */
static char *follow_link(const char *path)
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target - 1);
    const char *slash = strrchr(path, '/');

    if (n <= 0)
        return NULL;
    target[n] = '\0';
    return *target == '/' || !slash ? mem_strdup(target)
                                    : mem_printf("%.*s/%s", (int)(slash - path), path, target);
}

char *path_target(const char *path)
{
    char *real = path_real(path), *at = real ? real : mem_strdup(path);

    for (int depth = 0; !real && depth < LINKS_MOST; depth++) {
        char *next = follow_link(at);
        if (!next)
            break;
        free(at);
        at = next;
    }
    return at;
}
