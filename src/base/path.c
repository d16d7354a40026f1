/* The folders that the program uses, by the XDG base directory specification, and paths as people see them.
 */
#include <base/file.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/mem.h>

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

static int runtime_refused(const char *path, const char *why, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "%s", why);
    (void)err_what(e, "%s", path);
    return err_hint(e, "set XDG_RUNTIME_DIR to a folder of your own, mode 0700");
}

int path_runtime(char **out, struct err *e)
{
    const char *base = secure_getenv("XDG_RUNTIME_DIR"), *tmp = secure_getenv("TMPDIR");
    AUTO_FREE(char *, path);
    struct stat st;

    if (base && *base == '/')
        path = mem_printf("%s/broker", base);
    else
        path = mem_printf("%s/broker-%u", tmp && *tmp == '/' ? tmp : "/tmp", (unsigned)geteuid());
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return runtime_refused(path, strerror(errno), e);
    if (lstat(path, &st) < 0)
        return runtime_refused(path, strerror(errno), e);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return runtime_refused(path, "not a folder of ours", e);
    if (st.st_mode & 077)
        return runtime_refused(path, "open to others", e);
    *out = path;
    path = NULL;
    return 0;
}

/* Out of memory must not look like a path that leads nowhere: a link would be overwritten, a client taken for
 * another. */
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
