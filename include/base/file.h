/* SPDX-License-Identifier: MIT */
/*
 * Files: bounded reads, permission checks whose error names the chmod that fixes them, writes by temporary
 * file and rename, lock files, and the folders of the XDG base directory specification.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <base/buf.h>
#include <base/err.h>

enum file_guard {
    FILE_ANY,     /* no check */
    FILE_TRUSTED, /* owned by us or root, not writable by others, who cannot replace it either: config */
    FILE_PRIVATE, /* also not readable by others: a password file */
};

/*
 * Reads a regular file of at most out->max bytes. Returns 0 done, 1 no such file, -1 error: ERR_IO
 * (unreadable, not a regular file), ERR_CONFIG (guard, too large; e->what is the short path).
 */
int file_read(const char *path, enum file_guard guard, struct buf *out, struct err *e);
/* Checks the same without reading. */
int file_trust(const char *path, enum file_guard guard, struct err *e);

/*
 * Writes a temporary file beside the target (a symlink is resolved first), fsyncs and renames. An existing
 * file keeps its mode; a new one gets `mode`. Missing parent folders are made, 0700. ERR_IO; the target is
 * never half-written.
 */
int file_write(const char *path, const void *bytes, size_t n, mode_t mode, struct err *e);

/* Writes the bytes to a new file, 0600, beside the target, for a person to edit. *out: its path, malloced.
 * ERR_IO. */
int file_draft(const char *path, const void *bytes, size_t n, char **out, struct err *e);

/* Makes the folder that contains an absolute path, if it does not exist. -1 if anyone but us and root can
 * change it (ERR_CONFIG, e->what is the short path), or ERR_IO. */
int file_folder(const char *path, struct err *e);

/* Makes a folder and its parents, 0700 each. */
int file_mkdirs(const char *path, struct err *e);

/* An exclusive lock on the file `path`, which is removed when the lock is released. */
struct file_lock {
    int fd; /* -1: none is held */
    char *path;
};

/* A lock that is released at the end of the scope. */
#define AUTO_LOCK(name) __attribute__((cleanup(file_unlock))) struct file_lock name = {.fd = -1}

/* Locks the file `name` in the runtime folder. Waits until the deadline: ERR_TRY_LATER past it. ERR_IO. */
int file_lock(const char *name, int64_t deadline, struct file_lock *out, struct err *e);
/* The same, with the text for the wait line if the other process is not fetching the same credential:
 * "another broker that ...". */
int file_lock_for(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                  struct err *e);
/* For a lock that only saves work: if none can be made, logs why and succeeds without one. `waiting_for`
 * NULL: as file_lock(). -1: ERR_TRY_LATER. */
int file_lock_or_none(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                      struct err *e);
/* Locks PATH.lock (if PATH is a symlink: beside its target), while a file is read, changed and written. Only
 * we and root may be able to change the folder. */
int file_lock_beside(const char *path, const char *waiting_for, int64_t deadline, struct file_lock *out,
                     struct err *e);
void file_unlock(struct file_lock *lock);
/* A lock on the file `name` in the runtime folder that others may share. Does not wait. ERR_IO. */
int file_lock_shared(const char *name, struct file_lock *out, struct err *e);
/* Releases it. True: it was held, and nobody else held it. */
bool file_unlock_shared(struct file_lock *lock);

/* Reads to end of file, at most out->max bytes: ERR_DATA past that, ERR_IO. */
int fd_read_all(int fd, struct buf *out, struct err *e);
/* Writes all; -1 with errno. */
int fd_write_all(int fd, const void *bytes, size_t n);
/* The longest path of a unix socket that every system accepts, without its NUL. */
#define SOCKET_PATH_MOST 103
/* Connects to the unix socket PATH: a descriptor, non-blocking and close-on-exec, or -1 with errno (EAGAIN:
 * its queue is full). */
int fd_connect_unix(const char *path);
/* A pipe; both ends close-on-exec. */
int fd_pipe(int fds[2], struct err *e);
/* Opens a file to append lines, created 0600 if missing. Refuses a symbolic link and another user's file: in
 * a folder like /tmp anyone may have put it there. Never waits. ERR_IO. */
int file_open_log(const char *path, struct err *e);

/* $HOME, or the home in the password database; NULL if there is neither. */
const char *path_home(void);
/* An absolute XDG variable, else $HOME/FALLBACK; malloced; NULL without a home. A relative XDG value is
 * ignored. */
char *path_xdg(const char *variable, const char *fallback);
/*
 * $XDG_RUNTIME_DIR/broker or, if that is missing or others could replace it, ${TMPDIR:-/tmp}/broker-UID.
 * Created 0700, owned by us, in a trusted folder. ERR_CONFIG if both are refused.
 */
int path_runtime(char **out, struct err *e);

enum path_group {
    PATH_GROUP_NONE, /* no group may write a folder on the way */
    PATH_GROUP_OWN,  /* except our own user-private group, whose number is our uid */
};
/*
 * An O_PATH descriptor of what PATH leads to, if only we and root can change that; the path can then be
 * trusted later too. If it is a folder, only we and root may be able to change it. -1: ERR_CONFIG with a
 * hint, ERR_IO if nothing is there; the caller sets e->what.
 */
int path_trust(const char *path, enum path_group group, struct err *e);
/* The path with all links resolved; malloced; NULL if nothing is there. */
char *path_real(const char *path);
/* The file that a symlink leads to, even if that does not exist yet, so that the link survives a rename;
 * malloced. */
char *path_target(const char *path);
/* "~/x" becomes $HOME/x, anything else is copied; malloced. */
char *path_expand(const char *path);
/* A path under $HOME as "~/...", for people; malloced. */
char *path_short(const char *path);

#endif
