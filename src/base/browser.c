/* SPDX-License-Identifier: MIT */
/*
 * Opens the web browser. It is started without a shell, by a double fork so that it is not our child, with
 * the user's own limits and signals restored. Its output is discarded, because some browsers print many
 * warnings.
 */
#include <base/browser.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <base/tty.h>

static char *browser_path(void)
{
    const char *named = secure_getenv("BROWSER");
    char *path = named && *named ? proc_find(named) : NULL;

    return path ? path : proc_find("xdg-open");
}

_Noreturn static void become(char *const *argv)
{
    int null = open("/dev/null", O_RDWR);

    if (fork() != 0)
        _exit(0);
    (void)setsid();
    for (int fd = 0; fd <= 2 && null >= 0; fd++)
        (void)dup2(null, fd);
    proc_restore();
    (void)execv(argv[0], argv);
    _exit(127);
}

/* Returns true if the URL is http(s) and all visible ASCII, the only bytes that RFC 3986 allows. The check
 * matters because $BROWSER may be a script that passes the URL to a shell. */
static bool is_page(const char *url)
{
    const char *at = url;

    while (*at >= '!' && *at <= '~')
        at++;
    return !*at && (text_starts(url, "https://") || text_starts(url, "http://"));
}

static bool has_display(void)
{
    const char *remote = secure_getenv("SSH_CONNECTION");

    return !(remote && *remote) && tty_has_display();
}

bool browser_is_here(void)
{
    AUTO_FREE(char *, path);

    path = has_display() ? browser_path() : NULL;
    return path;
}

bool browser_open(const char *url)
{
    AUTO_FREE(char *, path);

    if (!has_display() || !is_page(url))
        return false;
    path = browser_path();
    if (!path)
        return false;
    char *argv[] = {path, (char *)(uintptr_t)url, NULL};
    pid_t pid = fork();
    if (pid == 0)
        become(argv);
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return pid > 0;
}
