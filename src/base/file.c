/* SPDX-License-Identifier: MIT */
/* Files: reads with a bound and a permission check, and atomic writes. Locks are in lock.c, folder names in
 * path.c. */
#include <base/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/mem.h>

#define END_PROBE 64
#define REPLACED 2
#define REPLACED_MOST 100 /* retries in a row if other processes keep replacing the file */

static int guard_check(const struct stat *st, enum file_guard guard, const char *name, struct err *e)
{
    mode_t forbidden = guard == FILE_PRIVATE ? 077 : guard == FILE_TRUSTED ? 022 : 0;

    if (guard == FILE_ANY)
        return 0;
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        (void)err_set(e, ERR_CONFIG, "owned by another user");
        (void)err_what(e, "%s", name);
        return err_hint_sh(e, "chown %u %s", (unsigned)geteuid(), name);
    }
    if (st->st_mode & forbidden) {
        bool writable = st->st_mode & 022;
        (void)err_set(e, ERR_CONFIG, "%s by %s", writable ? "writable" : "readable",
                      st->st_mode & (writable ? 020 : 040) ? "group" : "others");
        (void)err_what(e, "%s", name);
        return err_hint_sh(e, guard == FILE_PRIVATE ? "chmod 600 %s" : "chmod go-w %s", name);
    }
    return 0;
}

/* Checks that the path leads to the opened file and that only we or root can have made it so. Returns
 * REPLACED if another broker has just renamed a new file to this path. */
static int check_opened(const struct stat *st, const char *path, enum file_guard guard, const char *name,
                        struct err *e)
{
    AUTO_FD(fd);
    struct stat now;

    if (guard == FILE_ANY)
        return 0;
    fd = path_trust(path, PATH_GROUP_OWN, e);
    if (fd >= 0 && fstat(fd, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino)
        return 0;
    if (fd >= 0)
        (void)err_set(e, ERR_IO, "is being replaced");
    (void)err_what(e, "%s", name);
    return fd >= 0 ? REPLACED : -1;
}

/* Reads to the end of the file; reading one byte over the bound shows that it is too large. The buffer is
 * allocated for `size` (from fstat), because each touched page costs time. */
static int read_all(int fd, size_t size, struct buf *out, const char *name, struct err *e)
{
    char over;

    for (;;) {
        size_t chunk = size > out->len ? size - out->len : size && size == out->len ? END_PROBE : 65536;
        size_t space = out->max - out->len < chunk ? out->max - out->len : chunk;
        ssize_t n = read(fd, space ? buf_room(out, space) : &over, space ? space : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return 0;
        if (n < 0)
            (void)err_set(e, ERR_IO, "%s", strerror(errno));
        else if (space == 0)
            (void)err_set(e, ERR_CONFIG, "over %zu bytes", out->max);
        else
            buf_grew(out, (size_t)n);
        if (n < 0 || space == 0)
            return err_what(e, "%s", name);
    }
}

/* Adds the chmod command that the owner can run to fix it. */
static int refuse_unread(const char *path, const char *name, struct err *e)
{
    struct stat st;
    bool is_denied = errno == EACCES;

    (void)err_set(e, ERR_IO, "%s", strerror(errno));
    if (is_denied && stat(path, &st) == 0 && st.st_uid == geteuid())
        (void)err_hint_sh(e, "chmod u+r %s", name);
    return err_what(e, "%s", name);
}

/* Opens the file and checks it once. Returns 0 with an open descriptor, 1 if there is no such file, REPLACED,
 * or -1 on error. */
static int open_once(const char *path, enum file_guard guard, int *out, struct stat *st, struct err *e)
{
    AUTO_FREE(char *, name);
    AUTO_FD(fd);

    name = path_short(path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 1;
    if (fd < 0 || fstat(fd, st) < 0)
        return refuse_unread(path, name, e);
    if (!S_ISREG(st->st_mode)) {
        (void)err_set(e, ERR_IO, S_ISDIR(st->st_mode) ? "is a folder" : "not a regular file");
        return err_what(e, "%s", name);
    }
    if (guard_check(st, guard, name, e) < 0)
        return -1;
    int checked = check_opened(st, path, guard, name, e);
    if (checked == 0)
        *out = fd_take(&fd);
    return checked;
}

/* Calls open_once() again each time the file was replaced in between. */
static int open_checked(const char *path, enum file_guard guard, int *out, struct stat *st, struct err *e)
{
    for (int i = 0; i < REPLACED_MOST; i++) {
        err_clear(e);
        int got = open_once(path, guard, out, st, e);
        if (got != REPLACED)
            return got;
    }
    return -1;
}

int file_read(const char *path, enum file_guard guard, struct buf *out, struct err *e)
{
    AUTO_FREE(char *, name);
    AUTO_FD(fd);
    struct stat st;

    int got = open_checked(path, guard, &fd, &st, e);
    if (got != 0)
        return got;
    name = path_short(path);
    return read_all(fd, (size_t)st.st_size, out, name, e);
}

int file_trust(const char *path, enum file_guard guard, struct err *e)
{
    AUTO_FD(fd);
    struct stat st;

    return open_checked(path, guard, &fd, &st, e);
}

int file_folder(const char *path, struct err *e)
{
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, name);
    AUTO_FD(fd);

    folder = mem_printf("%.*s/", (int)(strrchr(path, '/') ? strrchr(path, '/') - path : 0), path);
    if (file_mkdirs(folder, e) < 0)
        return -1;
    name = path_short(path);
    fd = path_trust(folder, PATH_GROUP_OWN, e);
    return fd < 0 ? err_what(e, "%s", name) : 0;
}

static int write_temporary(int fd, const char *target, const void *bytes, size_t n, mode_t mode)
{
    struct stat st;

    if (stat(target, &st) == 0)
        mode = st.st_mode & 07777;
    return fchmod(fd, mode) < 0 || fd_write_all(fd, bytes, n) < 0 || fsync(fd) < 0 ? -1 : 0;
}

int file_write(const char *path, const void *bytes, size_t n, mode_t mode, struct err *e)
{
    AUTO_FREE(char *, target);
    AUTO_FREE(char *, temporary);
    AUTO_FREE(char *, folder);
    AUTO_FD(fd);

    target = path_target(path);
    folder = mem_strdup(target);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        if (file_mkdirs(folder, e) < 0)
            return -1;
    }
    temporary = mem_printf("%s.XXXXXX", target);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0 || write_temporary(fd, target, bytes, n, mode) < 0 || rename(temporary, target) < 0) {
        int failed = errno;
        if (fd >= 0)
            (void)unlink(temporary);
        AUTO_FREE(char *, name);
        name = path_short(path);
        (void)err_set(e, ERR_IO, "%s", strerror(failed));
        return err_what(e, "%s", name);
    }
    return 0;
}

int file_draft(const char *path, const void *bytes, size_t n, char **out, struct err *e)
{
    AUTO_FREE(char *, target);
    AUTO_FREE(char *, draft);
    AUTO_FD(fd);

    target = path_target(path);
    draft = mem_printf("%s.edit.XXXXXX", target);
    fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, bytes, n) < 0) {
        (void)err_set(e, ERR_IO, "%s: %s", draft, strerror(errno));
        if (fd >= 0)
            (void)unlink(draft);
        return -1;
    }
    *out = draft;
    draft = NULL;
    return 0;
}

int file_mkdirs(const char *path, struct err *e)
{
    AUTO_FREE(char *, part);

    part = mem_strdup(path);
    for (char *slash = part + 1;; slash++) {
        slash += strcspn(slash, "/");
        char was = *slash;
        *slash = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST && errno != EISDIR) {
            (void)err_set(e, ERR_IO, "cannot create the folder: %s", strerror(errno));
            return err_what(e, "%s", part);
        }
        *slash = was;
        if (!was)
            return 0;
    }
}

int file_open_log(const char *path, struct err *e)
{
    struct stat st;
    AUTO_FD(fd);

    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ELOOP) {
        (void)err_set(e, ERR_IO, "is a symbolic link, which is not followed");
        return err_hint(e, "give the path of the file itself");
    }
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0))
        return fd_take(&fd);
    (void)err_set(e, ERR_IO, "%s", fd < 0 ? strerror(errno) : "owned by another user");
    return err_hint(e, "name a file that you may write, in a folder that exists");
}
