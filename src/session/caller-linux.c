/* SPDX-License-Identifier: MIT */
/* Linux: identifies processes with /proc/PID and SO_PEERCRED. */
#include "caller.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/helper.h>
#include <session/session.h>

#define KEEPER_PROGRAM "broker-keeper"

static char *program_name(pid_t pid)
{
    AUTO_FREE(char *, name);
    AUTO_BUF(comm, 256);
    struct err ignored = ERR_INIT;

    name = mem_printf("/proc/%ld/comm", (long)pid);
    if (file_read(name, FILE_ANY, &comm, &ignored) != 0)
        return NULL;
    return mem_strndup(buf_str(&comm), strcspn(buf_str(&comm), "\n"));
}

char *caller_program(pid_t pid)
{
    AUTO_FREE(char *, link);
    char path[4096];

    link = mem_printf("/proc/%ld/exe", (long)pid);
    ssize_t n = readlink(link, path, sizeof path);
    return n > 0 ? mem_strndup(path, (size_t)n) : program_name(pid);
}

/*
 * The kernel says which process created the socket or connected to it, and which program that process runs. A
 * keeper is not dumpable, so only root can read its path; others get its name. Programs that forward requests
 * of other processes have neither that path nor that name.
 */
bool session_is_of_keeper(int fd)
{
    struct ucred peer = {0};
    socklen_t n = sizeof peer;
    AUTO_FREE(char *, program);
    AUTO_FREE(char *, installed);
    AUTO_FREE(char *, keeper);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 || peer.uid != geteuid() || peer.pid <= 0)
        return false;
    program = caller_program(peer.pid);
    installed = helper_path(KEEPER_PROGRAM);
    keeper = path_real(installed);
    return program && keeper && (text_equal(program, keeper) || text_equal(program, KEEPER_PROGRAM));
}
