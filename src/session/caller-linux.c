/* Linux: /proc/PID. */
#include "caller.h"

#include <string.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>

char *caller_program(pid_t pid)
{
    AUTO_FREE(char *, link);
    AUTO_FREE(char *, name);
    AUTO_BUF(comm, 256);
    struct err ignored = ERR_INIT;
    char path[4096];

    link = mem_printf("/proc/%ld/exe", (long)pid);
    ssize_t n = readlink(link, path, sizeof path);
    if (n > 0)
        return mem_strndup(path, (size_t)n);
    name = mem_printf("/proc/%ld/comm", (long)pid);
    if (file_read(name, FILE_ANY, &comm, &ignored) != 0)
        return NULL;
    return mem_strndup(buf_str(&comm), strcspn(buf_str(&comm), "\n"));
}
