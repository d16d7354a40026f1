/* SPDX-License-Identifier: MIT */
/*
 * The whole command line: the input is a config file, the content of stdin, and the arguments, separated by
 * NUL bytes; the program's main() is run on them (tests/fuzz/run builds it as broker_main).
 *
 * Nothing has an effect outside the process. The linker wraps the calls that would start a program, connect,
 * or change this process permanently; the home and the config are in a folder of the run (TMPDIR), which is
 * made again after a verb that writes files; there is no terminal, and PATH contains clients that exist but
 * cannot be run. Apart from memory errors, it looks for an exit status that is not documented, and for an
 * exit because memory is said to be exhausted.
 *
 * fuzz options: -max_len=4096 -close_fd_mask=3
 *
 * fuzz wrap: execve fork connect exit prctl setrlimit open unlink
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX 40

int broker_main(int argc, char **argv);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int inside;
static char home[256];

/* --- system calls that must have no effect outside the process --- */

int __wrap_execve(const char *path, char *const *argv, char *const *env);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t n);
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);
int __wrap_prctl(int option, ...);
int __real_setrlimit(int what, const struct rlimit *limit);
int __wrap_setrlimit(int what, const struct rlimit *limit);
int __wrap_unlink(const char *path);
int __real_unlink(const char *path);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

/* Reads all arguments and variables that a client would get, so that the sanitizers check them. */
int __wrap_execve(const char *path, char *const *argv, char *const *env)
{
    size_t seen = strlen(path);

    for (; *argv; argv++)
        seen += strlen(*argv);
    for (; *env; env++)
        seen += strlen(*env);
    errno = seen ? ENOENT : EACCES;
    return -1;
}

pid_t __wrap_fork(void)
{
    if (!inside)
        return __real_fork();
    errno = EAGAIN;
    return -1;
}

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t n)
{
    (void)fd, (void)sa, (void)n;
    errno = ECONNREFUSED;
    return -1;
}

/* As connect() always fails, every socket looks stale, and the program removes stale sockets. */
int __wrap_unlink(const char *path)
{
    if (inside && strncmp(path, home, strlen(home)) != 0) {
        errno = EPERM;
        return -1;
    }
    return __real_unlink(path);
}

/* The program calls exit() below main() only if memory is exhausted, which must not happen here. */
void __wrap_exit(int code)
{
    if (!inside)
        __real_exit(code);
    abort();
}

int __wrap_prctl(int option, ...)
{
    (void)option;
    return 0;
}

int __wrap_setrlimit(int what, const struct rlimit *limit)
{
    return inside ? 0 : __real_setrlimit(what, limit);
}

/* Refuses the terminal and other devices: /dev/fd/0 would be this fuzzer's own. */
int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    int device = strncmp(path, "/dev/", 5) == 0 && strcmp(path, "/dev/null") != 0 &&
                 strncmp(path, home, strlen(home)) != 0;
    if (inside && device) {
        errno = ENXIO;
        return -1;
    }
    return __real_open(path, flags, mode);
}

/* --- the home --- */

static const char *in_home(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

static void must(int held)
{
    if (!held)
        abort();
}

static void put_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
    int fd = __real_open(in_home(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    (void)close(fd);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type;
    return at->level ? remove(path) : 0;
}

static void make_home(void)
{
    static const char *const clients[] = {"bin/mysql", "bin/mariadb", "bin/mysqldump", "bin/helper"};
    static const char *const folders[] = {"bin",           "run",     ".cache",
                                          ".cache/broker", ".config", ".config/broker"};
    char line[512];
    struct stat st;

    must(nftw(home, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        must(mkdir(in_home(folders[i]), 0700) == 0);
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
        put_file(clients[i], "", 0, 0700);
    put_file("password", "secret\n", 7, 0600);
    /* The cache has the family of `mysql`, so that the program goes on to write its option file. */
    must(stat(in_home("bin/mysql"), &st) == 0);
    int n = snprintf(line, sizeof line, "mysql %ju 0 %jd.%09ld %s\n", (uintmax_t)st.st_ino,
                     (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, in_home("bin/mysql"));
    put_file(".cache/broker/clients", line, (size_t)n, 0600);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *tmp = getenv("TMPDIR");

    (void)argc, (void)argv;
    (void)snprintf(home, sizeof home, "%s/fuzz-command-XXXXXX", tmp ? tmp : "/tmp");
    must(mkdtemp(home) != NULL);
    /* libFuzzer writes findings to an absolute path; what the program makes by a relative path goes here. */
    must(chdir(home) == 0);
    make_home();
    must(clearenv() == 0);
    must(setenv("HOME", home, 1) == 0 && setenv("XDG_RUNTIME_DIR", in_home("run"), 1) == 0);
    must(setenv("PATH", in_home("bin"), 1) == 0 && setenv("TMPDIR", in_home("run"), 1) == 0);
    must(setenv("BROKER_CONFIG", in_home("config"), 1) == 0 && setenv("PASSWORD", "sec'ret\\\n", 1) == 0);
    return 0;
}

/* --- one input --- */

/* The part up to the next NUL byte, as a string of its own; NULL at the end. */
static char *next_part(const uint8_t **data, size_t *size)
{
    const uint8_t *nul = *size ? memchr(*data, '\0', *size) : NULL;
    size_t n = nul ? (size_t)(nul - *data) : *size;
    char *part;

    if (*size == 0)
        return NULL;
    part = malloc(n + 1);
    must(part != NULL);
    memcpy(part, *data, n);
    part[n] = '\0';
    n += nul != NULL;
    *data += n;
    *size -= n;
    return part;
}

static void set_stdin(const char *text)
{
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    size_t n = strlen(text);

    must(fd >= 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, 0) == 0);
    (void)close(fd);
}

static int is_documented(int code)
{
    return code == 0 || (code >= 64 && code <= 79) || code == 126 || code == 127;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[WORDS_MAX + 2] = {strdup("broker")}, *words[WORDS_MAX + 2];
    char *config = next_part(&data, &size), *text = next_part(&data, &size);
    int argc = 1;

    /* What --wait waits for would never happen here. */
    if (memmem(data, size, "--wait", 6))
        size = 0;
    while (argc <= WORDS_MAX && (argv[argc] = next_part(&data, &size)))
        argc++;
    argv[argc] = NULL;
    memcpy(words, argv, sizeof words);
    put_file("config", config ? config : "", config ? strlen(config) : 0, 0600);
    set_stdin(text ? text : "");
    inside = 1;
    must(is_documented(broker_main(argc, argv)));
    inside = 0;
    if (argc > 2 && (strcmp(words[1], "profile") == 0 || strcmp(words[1], "exec") == 0))
        make_home();
    for (int i = 0; i < argc; i++)
        free(words[i]);
    free(config);
    free(text);
    return 0;
}
