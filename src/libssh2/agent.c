/* SPDX-License-Identifier: MIT */
/* Talks to ssh-agent without blocking. Private keys are never here: an agent does not give them out. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <event/loop.h>
#include <ssh/wire_format.h>

#define IDENTITIES_ANSWER 12
#define REQUEST_IDENTITIES 11
#define SIGN_REQUEST 13
#define SIGN_RESPONSE 14
#define RSA_SHA2_512 4

struct agent_call {
    struct watch socket;
    struct timer patience;
    struct buf question, answer;
    size_t sent;
    void (*done)(void *context, const unsigned char *answer, size_t n);
    void *context;
};

void agent_put_list(struct buf *out)
{
    wire_put_u32(out, 1);
    buf_putc(out, REQUEST_IDENTITIES);
}

void agent_put_sign(struct buf *out, const void *blob, size_t blob_length, const void *data, size_t length)
{
    static const char rsa[] = "\0\0\0\7ssh-rsa";
    bool is_rsa = blob_length > sizeof rsa - 1 && memcmp(blob, rsa, sizeof rsa - 1) == 0;

    wire_put_u32(out, (uint32_t)(1 + 4 + blob_length + 4 + length + 4));
    buf_putc(out, SIGN_REQUEST);
    wire_put_string(out, blob, blob_length);
    wire_put_string(out, data, length);
    wire_put_u32(out, is_rsa ? RSA_SHA2_512 : 0);
}

bool agent_parse_keys(const unsigned char *answer, size_t n,
                      void (*key)(void *context, const unsigned char *blob, size_t length,
                                  const char *comment, size_t comment_length),
                      void *context)
{
    const unsigned char *at = answer + 5, *end = answer + n, *blob, *comment;
    size_t length, comment_length;

    if (n < 5 || answer[0] != IDENTITIES_ANSWER || wire_u32(answer + 1) > AGENT_KEYS_MAX)
        return false;
    for (uint32_t left = wire_u32(answer + 1); left > 0; left--) {
        if (!wire_string(&at, end, &blob, &length) || !wire_string(&at, end, &comment, &comment_length))
            return false;
        key(context, blob, length, (const char *)comment, comment_length);
    }
    return true;
}

bool agent_parse_signature(const unsigned char *answer, size_t n, const unsigned char **signature,
                           size_t *length)
{
    const unsigned char *at = answer + 1, *end = answer + n, *whole, *name;
    size_t whole_length, name_length;

    if (n < 1 || answer[0] != SIGN_RESPONSE || !wire_string(&at, end, &whole, &whole_length))
        return false;
    end = whole + whole_length;
    return wire_string(&whole, end, &name, &name_length) && wire_string(&whole, end, signature, length) &&
           whole == end;
}

void agent_forget(struct agent_call *call)
{
    if (!call)
        return;
    loop_close(&call->socket);
    timer_clear(&call->patience);
    buf_release(&call->question);
    buf_release(&call->answer);
    free(call);
}

static void answered(struct agent_call *call, bool whole)
{
    void (*done)(void *, const unsigned char *, size_t) = call->done;
    void *context = call->context;
    struct buf answer = call->answer;

    call->answer = (struct buf)BUF_INIT(0);
    agent_forget(call);
    done(context, whole ? (const unsigned char *)answer.data + 4 : NULL, whole ? answer.len - 4 : 0);
    buf_release(&answer);
}

static bool ask_on(struct agent_call *call)
{
    size_t left = call->question.len - call->sent;
    ssize_t n = left ? send(call->socket.fd, call->question.data + call->sent, left, MSG_NOSIGNAL) : 0;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    call->sent += (size_t)n;
    if (call->sent == call->question.len)
        loop_want(&call->socket, LOOP_READ);
    return true;
}

/* Reads from the agent. Returns 1 if the answer is complete, 0 if more data is needed, -1 if it is
 * invalid. */
static int hear(struct agent_call *call)
{
    char *room = buf_room(&call->answer, 4096);
    ssize_t n = room ? recv(call->socket.fd, room, 4096, 0) : 0;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        return -1;
    buf_grew(&call->answer, (size_t)n);
    if (call->answer.len < 4)
        return 0;
    uint32_t whole = wire_u32((const unsigned char *)call->answer.data);
    if (whole > AGENT_ANSWER_MAX - 4096 || call->answer.len > whole + 4)
        return -1;
    return call->answer.len == whole + 4;
}

static void socket_ready(struct watch *w, unsigned events)
{
    struct agent_call *call = OWNER_OF(w, struct agent_call, socket);

    if (call->sent < call->question.len) {
        if (!ask_on(call))
            answered(call, false);
        return;
    }
    int came = events & LOOP_READ ? hear(call) : 0;
    if (came)
        answered(call, came > 0);
}

static void too_late(struct timer *t)
{
    answered(OWNER_OF(t, struct agent_call, patience), false);
}

struct agent_call *agent_ask(const char *path, const struct buf *question, int64_t deadline,
                             void (*done)(void *context, const unsigned char *answer, size_t n),
                             void *context)
{
    struct agent_call *call;
    int fd = buf_ok(question) ? fd_connect_unix(path) : -1;

    if (fd < 0)
        return NULL;
    call = mem_alloc(1, sizeof *call);
    *call = (struct agent_call){.question = BUF_INIT(AGENT_ANSWER_MAX), .answer = BUF_INIT(AGENT_ANSWER_MAX)};
    buf_add(&call->question, question->data, question->len);
    call->done = done;
    call->context = context;
    loop_watch(&call->socket, fd, LOOP_READ | LOOP_WRITE, socket_ready);
    timer_set(&call->patience, deadline, too_late);
    return call;
}
