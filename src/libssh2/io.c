/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a session: received data is given to libssh2 in portions; data to send is collected and sent
 * once per iteration of the event loop. Both buffers are limited: data that libssh2 does not read stays in
 * the socket, and a session whose server does not read is ended.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <base/mem.h>
#include <event/sock.h>

#define IN_SIZE (256u << 10)
#define OUT_FLUSH (256u << 10) /* data to send is collected up to this size, then sent at once */
#define OUT_STUFFED (1u << 20)
#define OUT_MOST (4u << 20)

void bytes_release(struct bytes *b)
{
    if (b->at)
        explicit_bzero(b->at, b->end);
    free(b->at);
    *b = (struct bytes){0};
}

char *bytes_room(struct bytes *b, size_t n)
{
    if (b->start == b->end)
        b->start = b->end = 0;
    if (b->size - b->end < n && b->start > 0) {
        memmove(b->at, b->at + b->start, b->end - b->start);
        b->end -= b->start;
        b->start = 0;
    }
    if (b->size - b->end < n) {
        size_t size = (b->end + n) * 2;
        b->at = mem_grow(b->at, size, 1);
        b->size = size;
    }
    return b->at + b->end;
}

static ssize_t io_recv(libssh2_socket_t fd, void *to, size_t n, int flags, void **abstract)
{
    struct ssh_session *s = *abstract;
    size_t there = s->in.end - s->in.start;

    (void)fd;
    (void)flags;
    if (s->abuse)
        return -ECONNABORTED;
    if (there == 0)
        return s->gone ? 0 : -EAGAIN;
    if (s->quota == 0)
        return -EAGAIN;
    if (n > there)
        n = there;
    if (n > s->quota)
        n = s->quota;
    memcpy(to, s->in.at + s->in.start, n);
    s->in.start += n;
    s->quota -= n;
    bounds_taken(s, n);
    return (ssize_t)n;
}

static ssize_t io_send(libssh2_socket_t fd, const void *from, size_t n, int flags, void **abstract)
{
    struct ssh_session *s = *abstract;

    (void)fd;
    (void)flags;
    if (s->out.end - s->out.start + n > OUT_MOST) {
        s->abuse = "the server does not read";
        return -ECONNABORTED;
    }
    s->given += n;
    if (s->deaf)
        return (ssize_t)n;
    memcpy(bytes_room(&s->out, n), from, n);
    s->out.end += n;
    return (ssize_t)n;
}

static void io_disconnected(LIBSSH2_SESSION *ssh, int reason, const char *message, int length,
                            const char *language, int language_length, void **abstract)
{
    struct ssh_session *s = *abstract;

    (void)ssh;
    (void)reason;
    (void)language;
    (void)language_length;
    s->parted = true;
    if (message && length > 0)
        peek_line(s->disconnected, sizeof s->disconnected, message, (size_t)length);
}

#if LIBSSH2_VERSION_NUM >= 0x010b01
static void set_callback(LIBSSH2_SESSION *ssh, int what, void (*call)(void))
{
    (void)libssh2_session_callback_set2(ssh, what, call);
}
#else
/* This libssh2 takes a data pointer; it has the same representation on every system with dlsym(). */
static void set_callback(LIBSSH2_SESSION *ssh, int what, void (*call)(void))
{
    void *data;
    memcpy(&data, &call, sizeof data);
    (void)libssh2_session_callback_set(ssh, what, data);
}
#endif

LIBSSH2_SESSION *io_session(struct ssh_session *s)
{
    LIBSSH2_SESSION *ssh = libssh2_session_init_ex(bounds_alloc, bounds_free, bounds_realloc, s);
    const struct {
        int what;
        void (*call)(void);
    } calls[] = {
        {LIBSSH2_CALLBACK_RECV, (void (*)(void))io_recv},
        {LIBSSH2_CALLBACK_SEND, (void (*)(void))io_send},
        {LIBSSH2_CALLBACK_DISCONNECT, (void (*)(void))io_disconnected},
    };

    if (!ssh)
        err_out_of_memory();
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        set_callback(ssh, calls[i].what, calls[i].call);
    libssh2_session_set_blocking(ssh, 0);
    return ssh;
}

void io_release(struct ssh_session *s)
{
    bytes_release(&s->in);
    bytes_release(&s->out);
}

/* More is read once libssh2 has taken the data that is there; a socket at end of file would be readable
 * forever. */
static void io_want(struct ssh_session *s)
{
    bool reads = !s->gone && s->in.end - s->in.start < IN_SIZE;

    loop_want(&s->socket, (reads ? LOOP_READ : 0u) | (s->out.end ? LOOP_WRITE : 0u));
}

void io_fill(struct ssh_session *s)
{
    char *to = s->in.end - s->in.start < IN_SIZE ? bytes_room(&s->in, s->in.at ? 1 : IN_SIZE / 2) : NULL;

    if (!to || s->gone)
        return;
    size_t room = s->in.size - s->in.end;
    ssize_t got = recv(s->socket.fd, to, room, 0);
    s->drained = got < (ssize_t)room;
    if (got > 0) {
        if (s->state == SESSION_HANDSHAKE)
            greeting_add(s, to, (size_t)got);
        s->in.end += (size_t)got;
        s->doubted = false;
        sock_acknowledge(s->socket.fd);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        s->gone = true;
    }
    io_want(s);
}

void io_flush(struct ssh_session *s)
{
    while (s->out.start < s->out.end) {
        ssize_t sent = send(s->socket.fd, s->out.at + s->out.start, s->out.end - s->out.start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        /* Data that arrived earlier can still be read, then comes end of file. */
        s->deaf |= sent < 0;
        s->out.start = s->deaf ? s->out.end : s->out.start + (size_t)sent;
    }
    if (s->out.start == s->out.end)
        s->out.start = s->out.end = 0;
    io_want(s);
}

bool io_is_over(const struct ssh_session *s)
{
    return s->abuse || s->parted || (s->gone && s->in.start == s->in.end);
}

bool io_stuffed(struct ssh_session *s)
{
    if (s->out.end - s->out.start > OUT_FLUSH)
        io_flush(s);
    return s->out.end - s->out.start > OUT_STUFFED - OUT_FLUSH;
}
