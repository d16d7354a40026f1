/* SPDX-License-Identifier: MIT */
/*
 * Where servers have their socket on Linux: the defaults of distributions, XAMPP, Homebrew and MySQL itself.
 * A socket may have been left by a server that has died, so each is tried by connecting; over a unix socket
 * that does not count as a failed connection. Each system has its own list.
 */
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

static const char *const places[] = {
    "/run/mysqld/mysqld.sock",            /* Debian, Ubuntu, Gentoo, Arch */
    "/var/run/mysqld/mysqld.sock",        /* the same, if /var/run is not a symlink to /run */
    "/var/lib/mysql/mysql.sock",          /* Fedora, RHEL, SUSE */
    "/tmp/mysql.sock",                    /* MySQL's own default, Homebrew */
    "/var/tmp/mysql.sock",                /* common on FreeBSD */
    "/opt/lampp/var/mysql/mysql.sock",    /* XAMPP for Linux */
    "/opt/homebrew/var/mysql/mysql.sock", /* Homebrew, in some configurations */
    "/home/linuxbrew/.linuxbrew/var/mysql/mysql.sock",
};

int socket_try(const char *path)
{
    AUTO_FD(fd);

    fd = fd_connect_unix(path);
    return fd < 0 ? errno : 0;
}

static const char *why(int failed)
{
    switch (failed) {
    case ENOENT:
    case ENOTDIR:
        return "no such file";
    case ECONNREFUSED:
        return "connection refused";
    case EACCES:
        return "permission denied";
    case EAGAIN:
        return "busy";
    default:
        return strerror(failed);
    }
}

/* Returns true if the place is in /var/run and that is a symlink to /run, as on nearly all systems: then it
 * is already in the list. */
static bool is_repeated(size_t i)
{
    AUTO_FREE(char *, old);
    AUTO_FREE(char *, new);

    if (!text_starts(places[i], "/var/run/"))
        return false;
    old = path_real("/var/run");
    new = path_real("/run");
    return old && text_equal(old, new);
}

int socket_discover(const char *profile_name, char **out, struct err *e)
{
    const char *named = secure_getenv("MYSQL_UNIX_PORT");
    const char *tried[ARRAY_LEN(places) + 1];
    int failed[ARRAY_LEN(places) + 1];
    size_t n = 0, widest = 0;

    for (size_t i = 0; i <= ARRAY_LEN(places); i++) {
        const char *path = i ? places[i - 1] : named;
        if (!path || !*path || (i && is_repeated(i - 1)))
            continue;
        tried[n] = path;
        failed[n] = socket_try(path);
        if (failed[n] == 0) {
            *out = path_absolute(path); /* MYSQL_UNIX_PORT may be relative */
            return 0;
        }
        widest = text_columns(path) > widest ? text_columns(path) : widest;
        n++;
    }
    (void)err_set(e, ERR_UNREACHABLE, "no server answers on a local socket");
    for (size_t i = 0; i < n; i++)
        (void)err_detail(e, "%s%*s  %s", tried[i], (int)(widest - text_columns(tried[i])), "",
                         why(failed[i]));
    if (profile_name)
        return err_hint(e, "start the server, or set host or socket in [profile %s]", profile_name);
    return err_hint(e, "start the server, or give --host or --socket");
}
