/* SPDX-License-Identifier: MIT */
/* Lock files. Each file is removed when its lock is released. A killed process leaves an empty file, which
 * the next process locks and removes. */
#include <base/file.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>

/* Returns 0 if locked, 1 if the deadline has passed, -1 on error. */
static int lock_wait(int fd, int kind, const char *waiting_for, int64_t deadline)
{
    struct tty_wait wait;
    int got;

    tty_wait_begin(&wait, waiting_for, deadline);
    while ((got = flock(fd, kind | LOCK_NB)) < 0 && errno == EWOULDBLOCK && clock_left(deadline) > 0) {
        int pause = clock_left(deadline) < 20 ? clock_left(deadline) : 20;
        (void)poll(NULL, 0, pause);
        tty_wait_tick(&wait);
    }
    int failed = got < 0 ? errno : 0;
    tty_wait_end(&wait);
    errno = failed;
    return failed == EWOULDBLOCK ? 1 : got;
}

/* Returns true if `fd` is still the file at `path`: the previous holder may have removed it in the meantime.
 * */
static bool is_there(int fd, const char *path)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

int file_lock(const char *name, int64_t deadline, struct file_lock *out, struct err *e)
{
    return file_lock_for(name, "another broker process that fetches the same credential", deadline, out, e);
}

/* Locks the file *path. On success the lock owns the string and *path is NULL. */
static int lock_path(char **path, int kind, const char *waiting_for, int64_t deadline, struct file_lock *out,
                     struct err *e)
{
    AUTO_FD(fd);
    int waited = 0;

    do {
        fd_close_cleanup(&fd);
        fd = open(*path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || (waited = lock_wait(fd, kind, waiting_for, deadline)) < 0) {
            int failed = errno;
            (void)err_set(e, ERR_IO, "%s: %s", *path, strerror(failed));
            errno = failed;
            return -1;
        }
    } while (waited == 0 && !is_there(fd, *path));
    if (waited > 0)
        return err_set(e, ERR_TRY_LATER, "timed out: another broker process holds %s", *path);
    *out = (struct file_lock){fd_take(&fd), *path};
    *path = NULL;
    return 0;
}

static int lock_name(const char *name, int kind, const char *waiting_for, int64_t deadline,
                     struct file_lock *out, struct err *e)
{
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, path);

    if (path_runtime(&folder, e) < 0)
        return -1;
    path = mem_printf("%s/%s.lock", folder, name);
    return lock_path(&path, kind, waiting_for, deadline, out, e);
}

int file_lock_for(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                  struct err *e)
{
    return lock_name(name, LOCK_EX, waiting_for, deadline, out, e);
}

/* Others hold an exclusive lock on this file only while they remove it, so the wait is short. */
int file_lock_shared(const char *name, struct file_lock *out, struct err *e)
{
    return lock_name(name, LOCK_SH, NULL, clock_deadline(1000, CLOCK_NEVER), out, e);
}

/* If other processes hold it too, the attempt to lock it exclusively releases our shared lock. */
bool file_unlock_shared(struct file_lock *lock)
{
    bool last = lock->fd >= 0 && flock(lock->fd, LOCK_EX | LOCK_NB) == 0;

    if (!last) {
        fd_close_cleanup(&lock->fd);
        free(lock->path);
        lock->path = NULL;
    }
    file_unlock(lock);
    return last;
}

int file_lock_beside(const char *path, const char *waiting_for, int64_t deadline, struct file_lock *out,
                     struct err *e)
{
    AUTO_FREE(char *, target);
    AUTO_FREE(char *, beside);
    AUTO_FREE(char *, name);

    target = path_target(path);
    beside = mem_printf("%s.lock", target);
    if (lock_path(&beside, LOCK_EX, waiting_for, deadline, out, e) == 0)
        return 0;
    int failed = errno;
    name = path_short(path);
    if (e->code == ERR_IO)
        (void)err_set(e, ERR_IO, "%s", strerror(failed));
    return err_what(e, "%s", name);
}

void file_unlock(struct file_lock *lock)
{
    if (lock->fd < 0)
        return;
    (void)unlink(lock->path); /* not after unlocking: it may be another process's lock then */
    fd_close_cleanup(&lock->fd);
    free(lock->path);
    lock->path = NULL;
}

int file_lock_or_none(const char *name, const char *waiting_for, int64_t deadline, struct file_lock *out,
                      struct err *e)
{
    int got =
        waiting_for ? file_lock_for(name, waiting_for, deadline, out, e) : file_lock(name, deadline, out, e);

    if (got == 0 || e->code == ERR_TRY_LATER)
        return got;
    log_step("lock", "%s", e->msg);
    err_clear(e);
    return 0;
}
