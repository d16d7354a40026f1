/* Linux: prctl(2) and /proc. */
#include "platform.h"

#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

void platform_forbid_dump(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
}

int platform_self_path(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);

    if (n <= 0)
        return -1;
    path[n] = '\0';
    return 0;
}
