/* SPDX-License-Identifier: MIT */
/*
 * The paths are in memory that the guard shares with the keeper, and are written before the files are
 * created, so that the guard finds them whenever the keeper is killed. The guard is a subreaper: all
 * processes that a killed keeper has started become the guard's children, and are ended and reaped. The guard
 * has no open descriptors, does not read from the network and knows no secrets: it forks before there are
 * any.
 */
#include <event/guard.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/err.h>
#include <base/mem.h>
#include <base/text.h>

#include "orphans.h"

#define PATHS_MOST 8

struct owned_path {
    char path[120];
    struct statx_timestamp born; /* time of creation; needed because an inode number may be reused at once */
    uint64_t inode; /* 0: there was no file before; the file there is removed if it is a socket */
};

static struct owned {
    struct owned_path path[PATHS_MOST];
} * owned;

/* The time of creation is 0 if the file system does not store it. */
static bool path_look(const char *path, struct statx *st)
{
    *st = (struct statx){0};
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, st) == 0;
}

static bool is_made_by_us(const struct owned_path *at, const struct statx *st)
{
    if (at->inode == 0)
        return S_ISSOCK(st->stx_mode);
    return st->stx_ino == at->inode && st->stx_btime.tv_sec == at->born.tv_sec &&
           st->stx_btime.tv_nsec == at->born.tv_nsec;
}

/* Another process may have replaced the file meanwhile, for example the next keeper of the same forward: only
 * the file that this keeper created is removed. */
static void path_remove(const struct owned_path *at)
{
    struct statx st;

    if (at->path[0] && path_look(at->path, &st) && is_made_by_us(at, &st))
        (void)unlink(at->path);
}

void guard_remove_paths(void)
{
    for (size_t i = 0; owned && i < PATHS_MOST; i++)
        path_remove(&owned->path[i]);
}

_Noreturn static void guard_run(pid_t keeper)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    pid_t got;
    int status = 0;

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        (void)sigaction(ignored[i], &ignore, NULL);
    (void)close_range(0, ~0U, 0);
    do
        got = waitpid(-1, &status, 0);
    while (got != keeper && (got > 0 || errno == EINTR));
    orphans_end_now(NULL);
    guard_remove_paths();
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void guard_start(void)
{
    void *shared = mmap(NULL, sizeof *owned, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        err_out_of_memory();
    owned = shared;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t keeper = fork();
    if (keeper < 0)
        _exit(ERR_TRY_LATER);
    if (keeper > 0)
        guard_run(keeper);
}

/* Returns the entry of `path`; for "", a free entry. NULL if there is none. */
static struct owned_path *path_find(const char *path)
{
    for (size_t i = 0; owned && i < PATHS_MOST; i++) {
        if (text_equal(owned->path[i].path, path))
            return &owned->path[i];
    }
    return NULL;
}

/* Writes the first byte of the path last, so that the guard never sees an incomplete path. */
void guard_owns_path(const char *path)
{
    struct owned_path *known = path_find(path), *at = known ? known : path_find("");
    size_t n = strlen(path);
    struct statx st;

    if (!at || n == 0 || n >= sizeof at->path)
        return;
    bool is_there = path_look(path, &st);
    at->born = st.stx_btime;
    at->inode = is_there ? st.stx_ino : 0;
    if (!known) {
        memcpy(at->path + 1, path + 1, n);
        __atomic_store_n(&at->path[0], path[0], __ATOMIC_RELEASE);
    }
}

void guard_disowns_path(const char *path)
{
    struct owned_path *at = path_find(path);

    if (at && *path)
        at->path[0] = '\0';
}

void guard_removes_path(const char *path)
{
    const struct owned_path *at = path_find(path);

    if (at)
        path_remove(at);
    guard_disowns_path(path);
}
