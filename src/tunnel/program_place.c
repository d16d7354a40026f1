/* SPDX-License-Identifier: MIT */
/*
 * The local address of a tunnel's program. Listeners are looked up in the system's tables and not dialled,
 * because a connection would have side effects on the program.
 */
#include "program_place.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/file.h>
#include <base/listening.h>
#include <base/mem.h>
#include <event/guard.h>

#include "dial_stream.h"

#define PORTS_MOST 16

static bool mentions(const struct words *w, const char *placeholder)
{
    for (size_t i = 0; i < w->count; i++) {
        if (strstr(w->word[i], placeholder))
            return true;
    }
    return false;
}

/* The socket is in the runtime folder and has this process's pid in its name, so that keepers do not share
 * one. */
static int choose_socket(struct program_place *p, struct err *e)
{
    AUTO_FREE(char *, folder);

    if (p->end.path)
        return 0;
    if (path_runtime(&folder, e) < 0)
        return -1;
    char *path = mem_printf("%s/c%ld", folder, (long)getpid());
    if (strlen(path) > SOCKET_PATH_MOST) {
        (void)err_set(e, ERR_CONFIG, "%s: too long for a unix socket, which may have %d bytes", path,
                      SOCKET_PATH_MOST);
        free(path);
        return err_hint(e, "use a shorter XDG_RUNTIME_DIR or TMPDIR, or {local_port} in command");
    }
    p->end.path = path;
    guard_owns_path(path);
    return 0;
}

static int choose_address(struct program_place *p, const struct target *target, struct err *e)
{
    const char *address = target_key(target, "address");

    if (address)
        return stream_address(address, &p->end.path, &p->end.host, &p->end.port, e);
    (void)err_set(e, ERR_CONFIG, "command without {local_port} and {socket} needs address");
    return err_hint(e, "set address = 127.0.0.1:13306, where it listens, or use {local_port} in command");
}

/* Checks the listener's user: before the program binds the chosen port another user may bind it, and would
 * get the password. */
bool place_is_served(struct program_place *p, bool ours)
{
    const char *at = NULL;

    if (p->end.path)
        return listening_unix(p->end.path);
    if (!listening_tcp(p->wants_port ? NULL : p->end.host, p->end.port, ours, &at))
        return false;
    p->end.host = at;
    return true;
}

/* Finds a port without a listener in either address family, by binding it briefly. */
static int free_port(unsigned *port, struct err *e)
{
    const char *at;

    for (int i = 0; i < PORTS_MOST; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof in;
        AUTO_FD(fd);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&in, n) < 0 ||
            getsockname(fd, (struct sockaddr *)&in, &n) < 0)
            return err_set(e, ERR_TRY_LATER, "no free port: %s", strerror(errno));
        *port = ntohs(in.sin_port);
        if (!listening_tcp(NULL, *port, false, &at))
            return 0;
    }
    return err_set(e, ERR_TRY_LATER, "no free port");
}

int place_choose(struct program_place *p, const struct target *target, const struct words *command,
                 struct err *e)
{
    p->wants_socket = mentions(command, "{socket}");
    p->wants_port = !p->wants_socket && mentions(command, "{local_port}");
    if (target->socket && mentions(command, "{host}")) {
        (void)err_set(e, ERR_CONFIG, "command has {host}, but the server is at a socket");
        return err_hint(e, "set host instead of socket in the profile");
    }
    if (p->wants_socket)
        return choose_socket(p, e);
    return p->wants_port ? 0 : choose_address(p, target, e);
}

int place_renew(struct program_place *p, struct err *e)
{
    if (p->wants_socket)
        (void)unlink(p->end.path);
    return p->wants_port ? free_port(&p->end.port, e) : 0;
}

void place_put(const struct program_place *p, struct buf *out)
{
    if (p->end.path)
        buf_puts(out, p->end.path);
    else
        text_address(out, p->end.host ? p->end.host : "127.0.0.1", p->end.port);
}
