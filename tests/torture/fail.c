/* SPDX-License-Identifier: MIT */
/*
 * A library that tests/torture/run preloads into `broker`: it counts calls of one kind and makes the Nth
 * fail. The kinds, in $TORTURE_KIND:
 *
 * - alloc: malloc, calloc, realloc (and thereby strdup, asprintf ...), and the mmap of libsodium's arena
 *   fail because there is no memory.
 * - write: a call that makes or changes something outside the process (write, fsync, rename, fchmod, mkdir,
 *   symlink, open of a new file, a pipe, a memory file, a new process) fails because there is no space or no
 *   descriptor.
 * - short: write() writes only half of the bytes, which is not an error.
 * - alloc+ and write+: that call and all later ones fail, as if memory or the disk were really full (stderr
 *   still works).
 *
 * Only calls of the program itself count: the constructor removes the variables from the environment, and a
 * forked child has another pid. stdio writes with an internal call that cannot be replaced, so stdout and
 * stderr become streams that call this write(). The result is in the file $TORTURE_REPORT, which is mapped,
 * so that it is correct however the program ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's functions, under names that are not replaced here. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t n);

enum kind { KIND_NONE, KIND_ALLOC, KIND_WRITE, KIND_SHORT };

struct report {
    int64_t calls;
    char failed[32]; /* the name of the call that failed; empty: it was not reached */
    int64_t fd;      /* the descriptor of a failed write */
};

static enum kind kind;
static int64_t fail_at;
static int for_good; /* all calls from that one on fail */
static pid_t self;
static struct report nowhere, *report = &nowhere;

/* Returns whether this call must fail. */
static int is_due(enum kind k, const char *name, int fd)
{
    if (k != kind || getpid() != self || ++report->calls < fail_at || fail_at == 0)
        return 0;
    if (report->calls > fail_at)
        return for_good && fd != STDERR_FILENO;
    (void)snprintf(report->failed, sizeof report->failed, "%s", name);
    report->fd = fd;
    return 1;
}

static int fails(const char *name, int fd, int error)
{
    if (!is_due(KIND_WRITE, name, fd))
        return 0;
    errno = error;
    return 1;
}

static int no_memory(const char *name)
{
    if (!is_due(KIND_ALLOC, name, -1))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return no_memory("malloc") ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t size)
{
    return no_memory("calloc") ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t n)
{
    return no_memory("realloc") ? NULL : __libc_realloc(old, n);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) && no_memory("mmap"))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fails("write", fd, ENOSPC))
        return -1;
    if (n > 1 && is_due(KIND_SHORT, "write", fd))
        n /= 2;
    return syscall(SYS_write, fd, bytes, n);
}

int fsync(int fd)
{
    return fails("fsync", fd, EIO) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fchmod(int fd, mode_t mode)
{
    return fails("fchmod", fd, EIO) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int rename(const char *from, const char *to)
{
    return fails("rename", -1, EIO) ? -1 : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int mkdir(const char *path, mode_t mode)
{
    return fails("mkdir", -1, ENOSPC) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int symlink(const char *target, const char *path)
{
    return fails("symlink", -1, ENOSPC) ? -1 : (int)syscall(SYS_symlinkat, target, AT_FDCWD, path);
}

int symlinkat(const char *target, int folder, const char *path)
{
    return fails("symlinkat", -1, ENOSPC) ? -1 : (int)syscall(SYS_symlinkat, target, folder, path);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    if (flags & O_CREAT) {
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
        if (fails("open", -1, ENOSPC))
            return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int pipe2(int fds[2], int flags)
{
    return fails("pipe2", -1, EMFILE) ? -1 : (int)syscall(SYS_pipe2, fds, flags);
}

int memfd_create(const char *name, unsigned flags)
{
    return fails("memfd_create", -1, EMFILE) ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

/* mkostemp() and fork() do more than a system call, so the real ones are looked up. */
static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

int mkostemp(char *template, int flags)
{
    int (*next)(char *, int);
    void *found = real("mkostemp");

    memcpy(&next, &found, sizeof next);
    return fails("mkostemp", -1, ENOSPC) ? -1 : next(template, flags);
}

pid_t fork(void)
{
    pid_t (*next)(void);
    void *found = real("fork");

    memcpy(&next, &found, sizeof next);
    return fails("fork", -1, EAGAIN) ? -1 : next();
}

/* The write function of a stream: writes everything, or returns an error, as stdio's does. */
static ssize_t stream_write(void *cookie, const char *bytes, size_t n)
{
    int fd = (int)(intptr_t)cookie;
    size_t done = 0;

    while (done < n) {
        ssize_t wrote = write(fd, bytes + done, n - done);
        if (wrote <= 0)
            return 0;
        done += (size_t)wrote;
    }
    return (ssize_t)done;
}

static FILE *stream(int fd, int buffering)
{
    FILE *f = fopencookie((void *)(intptr_t)fd, "w", (cookie_io_functions_t){.write = stream_write});

    if (f)
        (void)setvbuf(f, NULL, buffering, 0);
    return f;
}

__attribute__((constructor)) static void start(void)
{
    const char *k = getenv("TORTURE_KIND"), *at = getenv("TORTURE_AT"), *path = getenv("TORTURE_REPORT");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (!k || !at || fd < 0)
        return;
    void *p = (void *)syscall(SYS_mmap, NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (p != MAP_FAILED)
        report = p;
    fail_at = strtoll(at, NULL, 10);
    stdout = stream(STDOUT_FILENO, _IOFBF);
    stderr = stream(STDERR_FILENO, _IONBF);
    enum kind wanted = k[0] == 'a' ? KIND_ALLOC : k[0] == 'w' ? KIND_WRITE : KIND_SHORT;
    for_good = strchr(k, '+') != NULL;
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("TORTURE_KIND");
    (void)unsetenv("TORTURE_AT");
    (void)unsetenv("TORTURE_REPORT");
    self = getpid();
    kind = wanted;
}
