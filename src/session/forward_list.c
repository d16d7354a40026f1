/* SPDX-License-Identifier: MIT */
/*
 * Running forwards: finds them by their control sockets, asks for their state, tells them to end. If a keeper
 * was killed together with its guard, its socket remains but does not answer. It counts as not running, and
 * the socket is removed, unless another process is opening a forward of that name.
 */
#include <session/forward.h>

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>
#include <ipc/keeper.h>

#include "control.h"

#define FORWARDS_MOST 4096

void forward_release(struct forward *f)
{
    free(f->name);
    free(f->host);
    free(f->socket);
    free(f->user);
    secret_free(f->password);
    free(f->endpoint_host);
    free(f->endpoint_socket);
    free(f->digest);
    free(f->log);
    fd_close_cleanup(&f->channel);
    *f = (struct forward)FORWARD_INIT;
}

void forward_list_free(struct forward *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        forward_release(&list[i]);
    free(list);
}

void forward_address(const struct forward *f, struct buf *out)
{
    if (f->socket)
        buf_puts(out, f->socket);
    else
        text_address(out, forward_host(f), f->port);
}

/* localhost is replaced by 127.0.0.1, because MySQL clients take the name localhost for a unix socket. */
const char *forward_host(const struct forward *f)
{
    return f->host && text_equal(f->host, KEEPER_LOCALHOST) ? "127.0.0.1" : f->host;
}

static bool take_listener(const struct record *r, struct forward *f)
{
    struct local_address listener = {0};
    struct field first;

    if (!record_find(r, KEEPER_TAG_LISTENER, &first) || !local_address_take(&first, &listener))
        return false;
    f->socket = listener.path;
    f->host = listener.host;
    f->port = listener.port;
    f->makes_tls = listener.kind != LISTENER_BYTES;
    f->logs_in = listener.kind == LISTENER_LOGIN;
    return true;
}

static int take_status(const struct record *r, struct forward *f, struct err *e)
{
    AUTO_FREE(char *, state);

    f->name = record_str(r, KEEPER_TAG_NAME);
    state = record_str(r, KEEPER_TAG_STATE);
    if (!f->name || !state || !take_listener(r, f))
        return err_set(e, ERR_PROTOCOL, "its keeper returned no name, state or address");
    if (f->logs_in) {
        f->user = record_str(r, KEEPER_TAG_USER);
        f->password = record_secret(r, KEEPER_TAG_SECRET);
    }
    if (f->logs_in && !f->password)
        return err_set(e, ERR_PROTOCOL, "its keeper logs in, but returned no password");
    f->endpoint_host = record_str(r, KEEPER_TAG_HOST);
    f->endpoint_socket = record_str(r, KEEPER_TAG_SOCKET);
    f->endpoint_port = (unsigned)record_u64(r, KEEPER_TAG_PORT, 0);
    f->pid = (long)record_u64(r, KEEPER_TAG_PID, 0);
    f->connections = (unsigned)record_u64(r, KEEPER_TAG_CONNECTIONS, 0);
    f->started = (time_t)record_u64(r, KEEPER_TAG_STARTED, 0);
    f->digest = record_str(r, KEEPER_TAG_DIGEST);
    f->log = record_str(r, KEEPER_TAG_LOG);
    f->up = text_equal(state, "up");
    return 1;
}

/* Asks one forward for its state. Returns 1 if it is running, 0 if not, -1 on error. */
static int ask(const char *path, int64_t deadline, struct forward *f, struct err *e)
{
    AUTO_CONTROL(control);
    AUTO_RECORD(answer);
    int got = control_open(path, deadline, &control, e);

    if (got > 0)
        got = control_ask(&control, KEEPER_STATUS, deadline, &answer, e);
    return got > 0 ? take_status(&answer, f, e) : got;
}

/* Removes the socket only if the lock is free, because otherwise another process may be creating it. */
static void remove_dead(const char *path, const char *lock_name)
{
    AUTO_CONTROL(control);
    AUTO_LOCK(lock);
    struct err ignored = ERR_INIT;

    if (access(path, F_OK) == 0 && file_lock(lock_name, clock_ms(), &lock, &ignored) == 0 &&
        control_open(path, CLOCK_NEVER, &control, &ignored) == 0)
        (void)unlink(path);
}

int forward_find(const char *name, struct forward *out, struct err *e)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, lock);

    if (control_place(name, &path, &lock, e) < 0)
        return -1;
    int found = ask(path, CLOCK_NEVER, out, e);
    if (found < 0)
        return err_what(e, "%s", name);
    if (found == 0)
        remove_dead(path, lock);
    return found;
}

static int compare(const void *left, const void *right)
{
    const struct forward *a = left, *b = right;

    return strcmp(a->name, b->name);
}

/* Asks the forward of one file in the folder. Returns 1 with *f filled in, 0 if it is not running, -1 on
 * error. */
static int visit(const char *folder, const char *file, int64_t deadline, struct forward *f, struct err *e)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, stem);
    AUTO_FREE(char *, lock);

    if (!text_ends(file, ".sock"))
        return 0;
    path = mem_printf("%s/%s", folder, file);
    stem = mem_strndup(file, strlen(file) - strlen(".sock"));
    lock = mem_printf("forward-%s", stem);
    int found = ask(path, deadline, f, e);
    if (found < 0)
        return err_what(e, "%s", stem);
    if (found == 0)
        remove_dead(path, lock);
    return found;
}

int forward_list(struct forward **list, size_t *count, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, folder);
    struct forward *all = NULL;
    struct err ignored = ERR_INIT;
    size_t n = 0;
    int result = 0;

    *list = NULL;
    *count = 0;
    if (keeper_folder(&folder, e) < 0)
        return -1;
    DIR *files = opendir(folder);
    for (struct dirent *d; files && n < FORWARDS_MOST && (d = readdir(files));) {
        struct forward f = FORWARD_INIT;
        int found = visit(folder, d->d_name, deadline, &f, result < 0 ? &ignored : e);
        result = found < 0 ? -1 : result;
        if (found <= 0) {
            forward_release(&f);
            continue;
        }
        all = mem_grow(all, n + 1, sizeof *all);
        all[n++] = f;
    }
    if (files)
        (void)closedir(files);
    if (n)
        qsort(all, n, sizeof *all, compare);
    *list = all;
    *count = n;
    return result;
}

/* Reads until end of file, which shows that the keeper has ended. */
static int wait_for_end(const struct control *c, const char *name, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, what);
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    struct tty_wait wait;
    char byte;
    ssize_t got = -1;

    what = mem_printf("the connections of %s", name);
    tty_wait_begin(&wait, what, deadline);
    while (got && clock_left(deadline) > 0) {
        if (poll(&p, 1, tty_wait_left(&wait)) > 0)
            got = read(c->fd, &byte, 1) > 0 ? 1 : 0;
        tty_wait_tick(&wait);
    }
    tty_wait_end(&wait);
    if (got == 0)
        return 1;
    (void)err_set(e, ERR_UNREACHABLE, "still has connections");
    return err_hint(e, c->pid ? "wait, or kill -9 %ld" : "wait", (long)c->pid);
}

int forward_stop(const char *name, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, lock);
    AUTO_CONTROL(control);
    AUTO_RECORD(answer);

    if (control_place(name, &path, &lock, e) < 0)
        return -1;
    int found = control_open(path, deadline, &control, e);
    if (found == 0)
        remove_dead(path, lock);
    if (found <= 0)
        return found < 0 ? err_what(e, "%s", name) : 0;
    int told = control_ask(&control, KEEPER_STOP, deadline, &answer, e);
    if (told > 0)
        told = wait_for_end(&control, name, deadline, e);
    return told < 0 ? err_what(e, "%s", name) : 1;
}
