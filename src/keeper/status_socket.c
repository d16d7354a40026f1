/* SPDX-License-Identifier: MIT */
/*
 * Each connection sends one request, which is answered at once. A connection that requested STOP stays open
 * until the keeper has ended, so that its end of file shows that. Only processes of the same user get an
 * answer, in addition to the protection by directory and mode.
 */
#include "status_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/peer.h>
#include <event/guard.h>
#include <event/listen.h>

#include "describe.h"
#include "options.h"

#define PATIENCE_MS 5000
#define LOOK_MS 5000
#define REQUEST_MOST 4096

struct status_client {
    struct watch watch;
    struct timer patience;
    struct buf request;
};

static struct watch door = {.fd = -1};
static struct pause door_pause;
static struct timer door_look;
static void (*when_stopped)(void);
static int spare =
    -1; /* a reserved descriptor, used for a client if connections have taken all others: it may be a STOP */

bool status_answer(const struct record *request, struct record *answer)
{
    struct err e = ERR_INIT;

    answer->kind = RECORD_OK;
    if (request->kind == KEEPER_STATUS)
        describe_forward(answer);
    else if (request->kind != KEEPER_STOP) {
        (void)err_set(&e, ERR_PROTOCOL, "a request of kind %d", request->kind);
        record_put_error(answer, &e);
    }
    return request->kind == KEEPER_STOP;
}

static void spare_keep(void)
{
    if (spare < 0)
        spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void status_client_end(struct status_client *v)
{
    int fd = v->watch.fd;

    timer_clear(&v->patience);
    loop_forget(&v->watch);
    (void)close(fd);
    buf_release(&v->request);
    free(v);
    spare_keep();
}

static void patience_over(struct timer *t)
{
    status_client_end(OWNER_OF(t, struct status_client, patience));
}

static void status_client_answer(struct status_client *v, const struct record *request)
{
    AUTO_RECORD(answer);
    struct err ignored = ERR_INIT;
    bool stop = status_answer(request, &answer);

    if (stop)
        when_stopped(); /* STOP is answered once the keeper has stopped accepting */
    (void)record_write(v->watch.fd, &answer, clock_ms(), &ignored);
    if (!stop)
        status_client_end(v);
    else {
        timer_clear(&v->patience);
        loop_want(&v->watch, 0);
    }
}

static void status_client_ready(struct watch *w, unsigned events)
{
    struct status_client *v = OWNER_OF(w, struct status_client, watch);
    AUTO_RECORD(request);
    int got = record_receive(w->fd, &v->request, &request);

    (void)events;
    if (got > 0)
        status_client_answer(v, &request);
    else if (got < 0)
        status_client_end(v);
}

static int door_accept(void)
{
    int fd = accept4(door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0 || spare < 0 || (errno != EMFILE && errno != ENFILE))
        return fd;
    (void)close(spare);
    spare = -1;
    return accept4(door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void door_ready(struct watch *w, unsigned events)
{
    int fd = door_accept();

    (void)events;
    if (fd < 0) {
        spare_keep();
        listen_pause(&door_pause, w);
        return;
    }
    if (!peer_is_us(fd)) {
        (void)close(fd);
        spare_keep();
        return;
    }
    struct status_client *v = mem_alloc(1, sizeof *v);
    v->request = (struct buf)BUF_INIT(REQUEST_MOST);
    loop_watch(&v->watch, fd, LOOP_READ, status_client_ready);
    timer_set(&v->patience, clock_ms() + PATIENCE_MS, patience_over);
}

static bool is_gone(const char *path)
{
    struct stat st;

    return lstat(path, &st) < 0 && errno == ENOENT;
}

/* A logout removes the runtime directory, but a detached forward keeps running: without a socket it could not
 * be found or stopped, so the socket is created again. */
static void look(struct timer *t)
{
    AUTO_FREE(char *, folder);
    struct err ignored = ERR_INIT;
    int old = door.fd, fd;

    timer_set(t, clock_ms() + LOOK_MS, look);
    if (!is_gone(opt.control) || keeper_folder(&folder, &ignored) < 0 ||
        (fd = listen_unix(opt.control, &ignored)) < 0)
        return;
    timer_clear(&door_pause.timer);
    loop_forget(&door);
    (void)close(old);
    loop_watch(&door, fd, LOOP_READ, door_ready);
}

int status_open(void (*stop)(void), struct err *e)
{
    when_stopped = stop;
    if (!opt.control)
        return 0;
    int fd = listen_unix(opt.control, e);
    if (fd < 0)
        return -1;
    spare_keep();
    loop_watch(&door, fd, LOOP_READ, door_ready);
    timer_set(&door_look, clock_ms() + LOOK_MS, look);
    return 0;
}

void status_close(void)
{
    int fd = door.fd;

    if (fd < 0)
        return;
    timer_clear(&door_pause.timer);
    timer_clear(&door_look);
    loop_forget(&door);
    guard_removes_path(opt.control);
    (void)close(fd);
}
