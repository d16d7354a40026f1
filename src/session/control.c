/* SPDX-License-Identifier: MIT */
/*
 * The control sockets of forwards. They are in a folder that only we can enter, but each is still checked
 * before use: the socket and the process that serves it must belong to our user. If a keeper does not answer
 * in time, the error names it.
 */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/peer.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/keeper.h>

#define ANSWER_MS 5000
#define BUSY_NAP_MS 10

void control_close(struct control *c)
{
    fd_close_cleanup(&c->fd);
}

static int refuse(const char *path, const char *why, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "%s", why);
    (void)err_what(e, "%s", path);
    return err_hint(e, "check who created it, then remove it");
}

/* A name that is not a valid file name, or makes the path too long, is replaced by its hash after a `+`.
 * Profile names never begin with `+`. */
int control_place(const char *name, char **path, char **lock, struct err *e)
{
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, plain);
    char hash[33];

    if (keeper_folder(&folder, e) < 0)
        return -1;
    plain = mem_printf("%s/%s.sock", folder, name);
    text_hash(name, strlen(name), hash);
    hash[16] = '\0';
    bool is_plain = *name != '.' && *name != '+' && !strchr(name, '/') && strlen(plain) <= SOCKET_PATH_MOST;
    *path = is_plain ? mem_strdup(plain) : mem_printf("%s/+%s.sock", folder, hash);
    *lock = is_plain ? mem_printf("forward-%s", name) : mem_printf("forward-+%s", hash);
    if (strlen(*path) <= SOCKET_PATH_MOST)
        return 0;
    (void)err_set(e, ERR_CONFIG, "too long for a unix socket, which may have %d bytes", SOCKET_PATH_MOST);
    (void)err_what(e, "%s", *path);
    return err_hint(e, "set XDG_RUNTIME_DIR to a folder with a shorter name");
}

static int silent(const struct control *c, struct err *e)
{
    if (!c->pid)
        return err_set(e, ERR_UNREACHABLE, "its keeper does not answer");
    (void)err_set(e, ERR_UNREACHABLE, "its keeper (pid %ld) does not answer", (long)c->pid);
    return err_hint(e, "kill -9 %ld", (long)c->pid);
}

/* A full connection queue means that the keeper is alive but busy, so the connection is tried again. */
static int try_connect(const char *path, int64_t deadline, struct control *c)
{
    while ((c->fd = fd_connect_unix(path)) < 0) {
        if (errno != EAGAIN)
            return errno;
        if (clock_left(deadline) == 0)
            return ETIMEDOUT;
        (void)poll(NULL, 0, BUSY_NAP_MS);
    }
    return 0;
}

int control_open(const char *path, int64_t deadline, struct control *c, struct err *e)
{
    struct stat st;
    uid_t uid;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : refuse(path, strerror(errno), e);
    if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() || strlen(path) > SOCKET_PATH_MOST)
        return refuse(path, "not a socket that you own", e);
    int failed = try_connect(path, clock_deadline(ANSWER_MS, deadline), c);
    if (failed == ECONNREFUSED || failed == ENOENT)
        return 0;
    if (failed == ETIMEDOUT)
        return silent(c, e);
    if (failed)
        return refuse(path, strerror(failed), e);
    if (peer_of_socket(c->fd, &uid, &c->pid) < 0 || uid != geteuid())
        return refuse(path, "served by another user", e);
    return 1;
}

/* A keeper that ends resets the connections that it has not accepted yet, which is reported as this error. */
static int broken(struct err *e)
{
    if (e->code != ERR_PROTOCOL && e->code != ERR_IO)
        return -1;
    err_clear(e);
    return 0;
}

int control_ask(const struct control *c, uint8_t verb, int64_t deadline, struct record *answer, struct err *e)
{
    AUTO_RECORD(request);
    int64_t until = clock_deadline(ANSWER_MS, deadline);

    request.kind = verb;
    if (record_write(c->fd, &request, until, e) < 0)
        return e->code == ERR_UNREACHABLE ? silent(c, e) : broken(e);
    int got = record_read(c->fd, answer, until, e);
    if (got < 0 && e->code == ERR_UNREACHABLE)
        return silent(c, e);
    if (got < 0 && e->code == ERR_IO)
        return broken(e);
    if (got > 0 && answer->kind == RECORD_ERROR)
        return record_error(answer, e);
    if (got > 0 && answer->kind != RECORD_OK)
        return err_set(e, ERR_PROTOCOL, "its keeper gave an answer of kind %d", answer->kind);
    return got;
}
