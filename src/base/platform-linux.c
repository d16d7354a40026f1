/* Linux: prctl(2) and /proc. */
#include "platform.h"

#include <signal.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void platform_forbid_dump(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
}

void platform_end_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
}

void platform_confine(void)
{
    (void)close_range(3, ~0U, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

int platform_self_path(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);

    if (n <= 0)
        return -1;
    path[n] = '\0';
    return 0;
}
