/* SPDX-License-Identifier: MIT */
/*
 * Checks that only we and root can change what a path leads to. The path is walked component by component,
 * each opened from the descriptor of the folder before it. Every folder on it must belong to us or root, and
 * other users must not be able to write it unless it is sticky (then they cannot touch our files). Every
 * symlink must belong to us or root. Such a path can be used by name later, also by the programs that we pass
 * it to.
 */
#include <base/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include <base/mem.h>
#include <base/text.h>

#define LINKS_MOST 40 /* the same limit as the kernel's */

struct way {
    int fd;     /* the folder reached so far, which is trusted */
    char *rest; /* the rest of the path, not yet walked */
    unsigned links;
    uid_t owner; /* the owner of the root directory */
    enum path_group group;
};

/* Returns the kernel's own path of the folder, so that symlinks and ".." need not be tracked here. */
static const char *name_of(int fd, char name[PATH_MAX])
{
    char link[32];

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, PATH_MAX - 1);
    (void)snprintf(name + (n > 0 ? n : 0), n > 0 ? 1 : PATH_MAX, "%s", n > 0 ? "" : "a parent folder");
    return name;
}

/*
 * Returns true if the file belongs to root. In a user namespace root may not be mapped, and all unmapped
 * users look the same. There the owner of / counts as root, but only for system folders, because another
 * user's folder would look the same.
 */
static bool is_roots(const struct way *w, const struct stat *st)
{
    static const char *const system[] = {"/",         "/etc", "/home", "/run",
                                         "/run/user", "/tmp", "/var",  "/var/tmp"};
    char name[PATH_MAX];

    if (st->st_uid == 0 || st->st_uid != w->owner)
        return st->st_uid == 0;
    (void)name_of(w->fd, name);
    for (size_t i = 0; i < ARRAY_LEN(system); i++) {
        if (text_equal(name, system[i]))
            return true;
    }
    return false;
}

static int folder_check(const struct way *w, struct err *e)
{
    char name[PATH_MAX];
    mode_t forbidden = S_IWOTH | S_IWGRP;
    struct stat st;

    if (fstat(w->fd, &st) < 0)
        return err_set(e, ERR_IO, "%s: %s", name_of(w->fd, name), strerror(errno));
    if (st.st_uid != geteuid() && !is_roots(w, &st)) {
        (void)err_set(e, ERR_CONFIG, "%s belongs to another user", name_of(w->fd, name));
        return err_hint(e, "use a folder that you own, below folders owned by you or root");
    }
    if (w->group == PATH_GROUP_OWN && st.st_uid == geteuid() && st.st_gid == st.st_uid &&
        st.st_gid == getegid())
        forbidden = S_IWOTH;
    if ((st.st_mode & forbidden) == 0 || (st.st_mode & S_ISVTX))
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s is writable by %s", name_of(w->fd, name),
                  st.st_mode & S_IWOTH ? "others" : "group");
    return err_hint_sh(e, "chmod go-w %s", name);
}

static int enter(struct way *w, int fd, struct err *e)
{
    fd_close_cleanup(&w->fd);
    w->fd = fd;
    return folder_check(w, e);
}

static int enter_root(struct way *w, struct err *e)
{
    struct stat st;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, ERR_IO, "/: %s", strerror(errno));
    w->owner = st.st_uid;
    return enter(w, fd, e);
}

/* Returns true if we or root must have created the symlink: it belongs to one of us, or no other user can
 * write its folder. */
static bool link_is_ours(const struct way *w, const struct stat *st)
{
    struct stat folder;

    return st->st_uid == geteuid() || st->st_uid == 0 ||
           (fstat(w->fd, &folder) == 0 && !(folder.st_mode & S_ISVTX));
}

/* Puts the symlink's target in front of the rest of the path. */
static int follow(struct way *w, int fd, const struct stat *st, struct err *e)
{
    char target[PATH_MAX], name[PATH_MAX];
    ssize_t n = readlinkat(fd, "", target, sizeof target - 1);

    if (!link_is_ours(w, st)) {
        (void)err_set(e, ERR_CONFIG, "the link %s belongs to another user", name_of(fd, name));
        return err_hint(e, "use a path without that link");
    }
    if (n < 0 || ++w->links > LINKS_MOST)
        return err_set(e, ERR_IO, "%s", strerror(n < 0 ? errno : ELOOP));
    target[n] = '\0';
    char *rest = mem_printf("%s/%s", target, w->rest);
    free(w->rest);
    w->rest = rest;
    return *target == '/' ? enter_root(w, e) : 0;
}

/* Opens the next component. A "magic link" of /proc is followed, because it leads to the open file itself,
 * which other users cannot replace. */
static int open_next(const struct way *w, const char *name, struct stat *st)
{
    AUTO_FD(fd);
    struct statfs fs;

    fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISLNK(st->st_mode) && fstatfs(fd, &fs) == 0 &&
        fs.f_type == PROC_SUPER_MAGIC) {
        fd_close_cleanup(&fd);
        fd = openat(w->fd, name, O_PATH | O_CLOEXEC);
    }
    return fd >= 0 && fstat(fd, st) == 0 ? fd_take(&fd) : -1;
}

/* Walks one component. If it is the last one and not a folder, *end is its descriptor. */
static int step(struct way *w, int *end, struct err *e)
{
    char name[NAME_MAX + 1];
    AUTO_FD(next);
    struct stat st;

    char *from = w->rest + strspn(w->rest, "/");
    size_t n = strcspn(from, "/");
    if (n > NAME_MAX)
        return err_set(e, ERR_IO, "%s", strerror(ENAMETOOLONG));
    memcpy(name, from, n);
    name[n] = '\0';
    memmove(w->rest, from + n, strlen(from + n) + 1);
    next = open_next(w, n ? name : ".", &st);
    if (next < 0)
        return err_set(e, ERR_IO, "%s", strerror(errno));
    if (S_ISLNK(st.st_mode))
        return follow(w, next, &st, e);
    if (w->rest[strspn(w->rest, "/")] || S_ISDIR(st.st_mode))
        return enter(w, fd_take(&next), e);
    *end = fd_take(&next);
    return 0;
}

int path_trust(const char *path, enum path_group group, struct err *e)
{
    AUTO_FREE(char *, here);
    AUTO_FD(end);
    struct way w = {.fd = -1, .group = group};

    if (*path != '/' && !(here = getcwd(NULL, 0)))
        return err_set(e, ERR_IO, "%s", strerror(errno));
    w.rest = mem_printf("%s/%s", here ? here : "", path);
    int result = enter_root(&w, e);
    while (result == 0 && end < 0 && w.rest[strspn(w.rest, "/")])
        result = step(&w, &end, e);
    free(w.rest);
    if (result == 0 && end < 0)
        return w.fd;
    fd_close_cleanup(&w.fd);
    return result < 0 ? -1 : fd_take(&end);
}
