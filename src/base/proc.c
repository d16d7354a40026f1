/* SPDX-License-Identifier: MIT */
/* Hardens this process, and execs other programs. Running a program and reading its output is in capture.c.
 * */
#include <base/proc.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

#include "platform.h"

static struct {
    mode_t mask;
    struct rlimit core, files;
    struct sigaction pipe, size, child;
    sigset_t signals;
    bool known, raised;
} before;

/* If descriptor 0, 1 or 2 is closed, the next file that we open would get its number. Opens a file there on
 * which reads and writes fail. */
static void open_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

void proc_harden(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, plain = {.sa_handler = SIG_DFL};
    struct rlimit none;

    open_standard_fds();
    before.mask = umask(077);
    (void)getrlimit(RLIMIT_CORE, &before.core);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.core.rlim_max};
    (void)setrlimit(RLIMIT_CORE, &none);
    platform_forbid_dump();
    (void)sigaction(SIGPIPE, &ignore, &before.pipe);
    /* Ignoring SIGXFSZ makes a write fail if the file grows too large, so that the temporary file can be
     * removed. */
    (void)sigaction(SIGXFSZ, &ignore, &before.size);
    /* If SIGCHLD were ignored, the exit statuses of our children would be lost. */
    (void)sigaction(SIGCHLD, &plain, &before.child);
    (void)sigprocmask(SIG_SETMASK, NULL, &before.signals);
    before.known = true;
}

void proc_raise_files(void)
{
    if (before.raised || getrlimit(RLIMIT_NOFILE, &before.files) < 0)
        return;
    struct rlimit all = {.rlim_cur = before.files.rlim_max, .rlim_max = before.files.rlim_max};
    before.raised = setrlimit(RLIMIT_NOFILE, &all) == 0;
}

void proc_await_end(pid_t child, int ms)
{
    platform_await_end(child, ms);
}

void proc_confine(void)
{
    platform_confine();
}

void proc_restore(void)
{
    if (!before.known)
        return;
    (void)umask(before.mask);
    (void)setrlimit(RLIMIT_CORE, &before.core);
    if (before.raised)
        (void)setrlimit(RLIMIT_NOFILE, &before.files);
    (void)sigaction(SIGPIPE, &before.pipe, NULL);
    (void)sigaction(SIGXFSZ, &before.size, NULL);
    (void)sigaction(SIGCHLD, &before.child, NULL);
    (void)sigprocmask(SIG_SETMASK, &before.signals, NULL);
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *proc_find(const char *name)
{
    const char *path = secure_getenv("PATH");

    if (strchr(name, '/')) {
        char *expanded = path_expand(name);
        if (is_program(expanded))
            return expanded;
        free(expanded);
        return NULL;
    }
    for (path = path && *path ? path : "/usr/local/bin:/usr/bin:/bin"; *path;) {
        size_t n = strcspn(path, ":");
        char *candidate = n ? mem_printf("%.*s/%s", (int)n, path, name) : mem_printf("./%s", name);
        if (is_program(candidate))
            return candidate;
        free(candidate);
        path += n + (path[n] == ':');
    }
    return NULL;
}

int proc_name_length(const char *name)
{
    const char *options = strstr(name, " -");

    return options ? (int)(options - name) : (int)strlen(name);
}

int proc_explain_missing(const char *name, struct err *e)
{
    AUTO_FREE(char *, path);
    int n = proc_name_length(name);

    path = path_expand(name);
    if (strchr(name, '/') && access(path, F_OK) == 0)
        return err_set(e, ERR_NOT_RUNNABLE, "%.*s: not an executable program", n, name);
    return err_set(e, ERR_NOT_FOUND, "%.*s: no such program", n, name);
}

int proc_exec(char *const *argv, const struct env_changes *env, struct err *e)
{
    char **environment = env_build(env);

    proc_restore();
    (void)execve(argv[0], argv, environment);
    int failed = errno;
    env_free(environment);
    proc_harden();
    return err_set(e, failed == ENOENT ? ERR_NOT_FOUND : ERR_NOT_RUNNABLE, "%s: %s", argv[0],
                   strerror(failed));
}

char *proc_self_dir(void)
{
    char path[PATH_MAX];

    if (platform_self_path(path, sizeof path) < 0)
        return mem_strdup("/nonexistent");
    *strrchr(path, '/') = '\0';
    return mem_strdup(path);
}
