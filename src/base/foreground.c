/* SPDX-License-Identifier: MIT */
/* Runs an interactive program, such as an editor, on our terminal. While it runs, signals from the keyboard
 * affect only that program, as with system(3). */
#include <base/proc.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

static const int keyboard[] = {SIGINT, SIGQUIT};

/* Turns the forked child into the program; until execve it makes only async-signal-safe calls. */
_Noreturn static void become(char *const *argv, char **env, const struct sigaction *before, int report)
{
    for (size_t i = 0; i < ARRAY_LEN(keyboard); i++)
        (void)sigaction(keyboard[i], &before[i], NULL);
    proc_restore();
    (void)execve(argv[0], argv, env);
    int failed = errno;
    (void)!write(report, &failed, sizeof failed);
    _exit(127);
}

/* Runs the program to its end. Returns 0, or the errno with which it could not be started. */
static int run(char *const *argv, const struct sigaction *before, int report[2], int *status)
{
    int failed = 0;
    char **env = env_build(NULL);
    pid_t pid = fork();

    if (pid == 0)
        become(argv, env, before, report[1]);
    env_free(env);
    fd_close_cleanup(&report[1]);
    if (pid < 0)
        return errno;
    while (read(report[0], &failed, sizeof failed) < 0 && errno == EINTR)
        ;
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return failed;
}

int proc_foreground(char *const *argv, int *status, struct err *e)
{
    struct sigaction before[ARRAY_LEN(keyboard)], ignore = {.sa_handler = SIG_IGN};
    AUTO_PIPE(report);

    if (fd_pipe(report, e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(keyboard); i++)
        (void)sigaction(keyboard[i], &ignore, &before[i]);
    int failed = run(argv, before, report, status);
    for (size_t i = 0; i < ARRAY_LEN(keyboard); i++)
        (void)sigaction(keyboard[i], &before[i], NULL);
    if (!failed)
        return 0;
    return err_set(e, failed == ENOENT ? ERR_NOT_FOUND : ERR_NOT_RUNNABLE, "%s: %s", argv[0],
                   strerror(failed));
}
