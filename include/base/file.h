/*
 * Files as the house wants them: bounded reads, permission checks with the chmod that mends them, writes by
 * temporary file and rename, lock files, and the folders of the XDG base directory specification.
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
    FILE_TRUSTED, /* ours or root's, not writable by group or others, nor can they put another there: config
                   */
    FILE_PRIVATE, /* and not readable by them either: a password file */
};

/*
 * Reads a regular file of at most out->max bytes. 0 done, 1 there is no such file, -1 error: ERR_IO
 * (unreadable, not a regular file), ERR_CONFIG (guard, too large; e->what is the short path).
 */
int file_read(const char *path, enum file_guard guard, struct buf *out, struct err *e);
/* The same without reading. */
int file_trust(const char *path, enum file_guard guard, struct err *e);

/*
 * Writes a temporary file beside the target (a symlink is resolved first), fsyncs and renames. An existing
 * file keeps its mode; a new one gets `mode`. Missing parent folders are made, 0700. ERR_IO; nothing
 * half-written.
 */
int file_write(const char *path, const void *bytes, size_t n, mode_t mode, struct err *e);

/* Makes the folder of an absolute path, where there is none. -1 where others than us and root can change it:
 * ERR_CONFIG, e->what is the short path; ERR_IO. */
int file_folder(const char *path, struct err *e);

/* Makes a folder and its parents, 0700 each. */
int file_mkdirs(const char *path, struct err *e);

/* An exclusive lock, held by file `path`, which is there no longer than the lock. */
struct file_lock {
    int fd; /* -1: none is held */
    char *path;
};

/* A lock that is released at the end of the scope. */
#define AUTO_LOCK(name) __attribute__((cleanup(file_unlock))) struct file_lock name = {.fd = -1}

/* By file `name` in the runtime folder, waited for until the deadline: ERR_TRY_LATER past it. ERR_IO. */
int file_lock(const char *name, int64_t deadline, struct file_lock *out, struct err *e);
/* The same, where the other is not one that fetches the same credential; "another broker that ...". */
int file_lock_for(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                  struct err *e);
void file_unlock(struct file_lock *lock);

/* Writes all; -1 with errno. */
int fd_write_all(int fd, const void *bytes, size_t n);
/* An address of a unix socket has no room for more bytes, on every system; its NUL is not counted. */
#define SOCKET_PATH_MOST 103
/* Connected to the socket PATH, non-blocking and close-on-exec; -1 with errno: EAGAIN where its queue is
 * full. */
int fd_connect_unix(const char *path);
/* A pipe; both ends close-on-exec. */
int fd_pipe(int fds[2], struct err *e);
/* For lines at its end, made 0600 where there is none. Never through a symbolic link, nor into what is
 * another user's: in a folder as /tmp anybody may have put it there. Never waits. ERR_IO. */
int file_open_log(const char *path, struct err *e);

/* $HOME, or the password database's; NULL when there is neither. */
const char *path_home(void);
/* An absolute XDG variable, else $HOME/FALLBACK; malloced; NULL without a home. A relative XDG value is
 * ignored. */
char *path_xdg(const char *variable, const char *fallback);
/*
 * $XDG_RUNTIME_DIR/broker; where that is not to be had, or others could put another in its place,
 * ${TMPDIR:-/tmp}/broker-UID. Made 0700, ours, in a trusted folder; ERR_CONFIG where both are refused.
 */
int path_runtime(char **out, struct err *e);

enum path_group {
    PATH_GROUP_NONE, /* no group may write a folder on the way */
    PATH_GROUP_OWN,  /* but our own, that of our uid's number, where users have a group each and write for it
                      */
};
/*
 * An O_PATH descriptor of what PATH leads to, if only we and root can change that: then the path holds for
 * later uses too. A folder at its end must be one that only we and root can change. -1: ERR_CONFIG with a
 * hint, ERR_IO where there is nothing; e->what is the caller's to say.
 */
int path_trust(const char *path, enum path_group group, struct err *e);
/* Where a path leads when links are followed; malloced; NULL where it leads nowhere. */
char *path_real(const char *path);
/* "~/x" gives $HOME/x, everything else itself; malloced. */
char *path_expand(const char *path);
/* A path under $HOME as "~/...", for people; malloced. */
char *path_short(const char *path);

#endif
