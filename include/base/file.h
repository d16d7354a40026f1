/* SPDX-License-Identifier: MIT */
/* Files: bounded reads, permission checks whose error names the chmod that fixes them, atomic writes
 * (temporary file and rename), lock files, and the directories of the XDG base directory specification. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <base/buf.h>
#include <base/err.h>

enum file_guard {
    FILE_ANY,     /* no check of owner and permissions */
    FILE_TRUSTED, /* owned by us or root, and other users can neither write nor replace it: config */
    FILE_PRIVATE, /* also not readable by other users: a password file */
};

/*
 * Reads a regular file of at most out->max bytes. Returns 0 if done, 1 if there is no such file, -1 on error:
 * ERR_IO (unreadable, not a regular file) or ERR_CONFIG (the guard refuses it, or it is too large; e->what is
 * the short path).
 */
int file_read(const char *path, enum file_guard guard, struct buf *out, struct err *e);
/* Makes the checks of file_read() without reading the file. */
int file_trust(const char *path, enum file_guard guard, struct err *e);

/*
 * Writes a temporary file in the target's folder, fsyncs it and renames it, so that the target is never
 * half-written. If `path` is a symlink, its target is replaced. An existing file keeps its mode; a new one
 * gets `mode`. Missing parent folders are created with mode 0700. ERR_IO.
 */
int file_write(const char *path, const void *bytes, size_t n, mode_t mode, struct err *e);

/* Writes the bytes to a new file (mode 0600) in the same folder as `path`, for the user to edit. *out is its
 * path, malloced. ERR_IO. */
int file_draft(const char *path, const void *bytes, size_t n, char **out, struct err *e);

/* Creates the folder that contains `path`, which is absolute, if it does not exist. Returns -1 if users other
 * than us and root can change it (ERR_CONFIG, e->what is the short path), or on ERR_IO. */
int file_folder(const char *path, struct err *e);

/* Creates a folder and its missing parents, mode 0700 each. */
int file_mkdirs(const char *path, struct err *e);

/* An exclusive lock on the file `path`, which is removed when the lock is released. */
struct file_lock {
    int fd; /* -1: not locked */
    char *path;
};

/* Declares a lock that is released at the end of the scope. */
#define AUTO_LOCK(name) __attribute__((cleanup(file_unlock))) struct file_lock name = {.fd = -1}

/* Locks the file `name` in the runtime folder. Waits until the deadline, then fails with ERR_TRY_LATER. Also
 * ERR_IO. */
int file_lock(const char *name, int64_t deadline, struct file_lock *out, struct err *e);
/* Like file_lock(), with a text for the wait line ("another broker that ...") if the other process is not
 * fetching the same credential. */
int file_lock_for(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                  struct err *e);
/*
 * Like file_lock_for(), for a lock that only saves work: if no lock file can be created, logs why and
 * succeeds without a lock. With `waiting_for` NULL, shows the text of file_lock(). Returns -1 on
 * ERR_TRY_LATER only.
 */
int file_lock_or_none(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                      struct err *e);
/* Locks PATH.lock while a file is read, changed and written. If PATH is a symlink, the lock is next to the
 * target. Fails if users other than us and root can change the folder. */
int file_lock_beside(const char *path, const char *waiting_for, int64_t deadline, struct file_lock *out,
                     struct err *e);
void file_unlock(struct file_lock *lock);
/* Takes a shared lock on the file `name` in the runtime folder. Does not wait. ERR_IO. */
int file_lock_shared(const char *name, struct file_lock *out, struct err *e);
/* Releases a shared lock. Returns true if the lock was held, and by no other process. */
bool file_unlock_shared(struct file_lock *lock);

/* Reads to end of file. ERR_IO, or ERR_DATA if there are more than out->max bytes. */
int fd_read_all(int fd, struct buf *out, struct err *e);
/* Writes all n bytes. Returns -1 with errno set on failure. */
int fd_write_all(int fd, const void *bytes, size_t n);
/* The longest path of a unix socket that every system accepts, not counting the NUL. */
#define SOCKET_PATH_MOST 103
/* Connects to the unix socket `path`. Returns a non-blocking, close-on-exec descriptor, or -1 with errno
 * (EAGAIN: the socket's queue is full). */
int fd_connect_unix(const char *path);
/* Creates a pipe; both ends are close-on-exec. */
int fd_pipe(int fds[2], struct err *e);
/* Opens a file to append log lines, created with mode 0600 if missing. Refuses a symbolic link and another
 * user's file, because in a folder like /tmp any user may have put it there. Never blocks. ERR_IO. */
int file_open_log(const char *path, struct err *e);

/* Returns $HOME, or the home directory from the password database; NULL if there is neither. */
const char *path_home(void);
/* Returns the value of an XDG variable if it is an absolute path, else $HOME/FALLBACK; malloced. Returns NULL
 * if there is no home directory. */
char *path_xdg(const char *variable, const char *fallback);
/*
 * Returns the runtime folder in *out, malloced: $XDG_RUNTIME_DIR/broker or, if that is missing or other users
 * could replace it, ${TMPDIR:-/tmp}/broker-UID. Creates it with mode 0700; it must be ours, in a trusted
 * folder. ERR_CONFIG if both are refused.
 */
int path_runtime(char **out, struct err *e);

enum path_group {
    PATH_GROUP_NONE, /* no folder on the path may be writable by its group */
    PATH_GROUP_OWN,  /* as above, except for our user-private group (gid equal to our uid) */
};
/*
 * Returns an O_PATH descriptor of the file or folder at `path` if only we and root can change what the path
 * leads to (and the contents, if it is a folder), so that the path can still be trusted later. Returns -1
 * with ERR_CONFIG and a hint, or with ERR_IO if nothing exists there; the caller sets e->what.
 */
int path_trust(const char *path, enum path_group group, struct err *e);
/* Returns the path with all symlinks resolved, malloced; NULL if nothing exists there. */
char *path_real(const char *path);
/* Returns the path that a symlink leads to, malloced, even if nothing exists there yet; other paths are
 * copied. A rename to the result keeps the symlink. */
char *path_target(const char *path);
/* Replaces a leading "~/" by $HOME; other paths are copied. Malloced. */
char *path_expand(const char *path);
/* The same, and a relative path becomes absolute, from the current folder. Malloced. */
char *path_absolute(const char *path);
/* Shortens a path under $HOME to "~/...", for display. Malloced. */
char *path_short(const char *path);

#endif
