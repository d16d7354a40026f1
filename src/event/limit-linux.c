/* SPDX-License-Identifier: MIT */
/* Uses prlimit(2). An ssh master needs three descriptors per connection, and is started with the user's
 * limit. */
#include <event/limit.h>

#include <stddef.h>
#include <sys/resource.h>

void limit_raise_descriptors(pid_t pid)
{
    struct rlimit limit;

    if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)prlimit(pid, RLIMIT_NOFILE, &limit, NULL);
}
