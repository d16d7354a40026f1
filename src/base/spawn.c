/* SPDX-License-Identifier: MIT */
/*
 * Starts a program that keeps running when we exec another one. It is not our child, because the exec'ed
 * program would then find it with wait(2). It has no controlling terminal, so that Ctrl-C goes to the client
 * only. It inherits none of our descriptors: an open stdout would hang `$(...)`, and an open lock file would
 * keep its lock.
 */
#include <base/proc.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

#include "platform.h"

/* The descriptors of the started program: 3 and 4 are passed on, and 5 reports a failed exec. */
enum { LIFE_FD = 3, TERMINAL_FD, REPORT_FD, FIRST_CLOSED };

struct leaving {
    const char *path;
    char **env;
    int line, life, terminal, report;
};

_Noreturn static void report_failure(int report)
{
    int failed = errno;

    (void)!write(report, &failed, sizeof failed);
    _exit(127);
}

/* Duplicates a descriptor to a number that the started program does not use. -1 stays -1. */
static int out_of_the_way(int fd, bool *failed)
{
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD, FIRST_CLOSED);

    *failed |= fd >= 0 && copy < 0;
    return copy;
}

static void put_at(int fd, int place, bool *failed)
{
    if (fd < 0)
        (void)close(place);
    else
        *failed |= dup2(fd, place) < 0;
}

/* Turns the second child into the program; until execve it makes only async-signal-safe calls. Our
 * descriptors are all 3 or higher, because 0 to 2 are always open. */
_Noreturn static void keeper_become(const struct leaving *l)
{
    char *const argv[] = {(char *)(uintptr_t)l->path, NULL};
    int null = open("/dev/null", O_RDWR);
    bool failed = false;
    int life = out_of_the_way(l->life, &failed), terminal = out_of_the_way(l->terminal, &failed);
    int report = fcntl(l->report, F_DUPFD_CLOEXEC, FIRST_CLOSED);

    if (null < 0 || report < 0 || failed || dup2(l->line, STDIN_FILENO) < 0 ||
        dup2(l->line, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        report_failure(l->report);
    put_at(life, LIFE_FD, &failed);
    put_at(terminal, TERMINAL_FD, &failed);
    if (failed || dup3(report, REPORT_FD, O_CLOEXEC) < 0)
        report_failure(report);
    platform_close_from(FIRST_CLOSED);
    proc_restore();
    (void)execve(l->path, argv, l->env);
    report_failure(REPORT_FD);
}

/* Forks twice. The first child exits at once, so that init becomes the parent of the second. */
static pid_t fork_twice(const struct leaving *l)
{
    pid_t first = fork();

    if (first != 0)
        return first;
    (void)setsid();
    pid_t second = fork();
    if (second == 0)
        keeper_become(l);
    if (second < 0)
        report_failure(l->report);
    _exit(0);
}

static int start(struct leaving *l, struct err *e)
{
    int report[2], failed = 0;
    ssize_t n = 0;

    if (fd_pipe(report, e) < 0)
        return -1;
    l->report = report[1];
    pid_t first = fork_twice(l);
    if (first < 0)
        failed = errno;
    (void)close(report[1]);
    while (first > 0 && waitpid(first, NULL, 0) < 0 && errno == EINTR)
        ;
    while (first > 0 && (n = read(report[0], &failed, sizeof failed)) < 0 && errno == EINTR)
        ;
    (void)close(report[0]);
    if (failed == 0)
        return 0;
    (void)err_set(e, first < 0 ? ERR_TRY_LATER : ERR_CONFIG, "%s: %s", l->path, strerror(failed));
    return err_hint(e, first < 0 ? "try again" : "install all of broker: make install");
}

int proc_spawn_keeper(const char *path, const struct env_changes *env, bool detached, int terminal, int *line,
                      struct err *e)
{
    struct leaving l = {.path = path, .life = -1, .terminal = terminal};
    AUTO_FD(ours);
    AUTO_FD(theirs);
    AUTO_FD(life);
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(e, ERR_IO, "cannot create a socket: %s", strerror(errno));
    ours = ends[0];
    l.line = theirs = ends[1];
    if (!detached) {
        l.life = life = platform_life();
        if (life < 0)
            return err_set(e, ERR_IO, "cannot create a pipe: %s", strerror(errno));
    }
    l.env = env_build(env);
    int started = start(&l, e);
    env_free(l.env);
    if (started < 0)
        return -1;
    *line = fd_take(&ours);
    return 0;
}
