/* SPDX-License-Identifier: MIT */
/*
 * Runs `broker credential get` with a socket pair as stdin and stdout: git's protocol in both directions,
 * errors on stderr. The answer is read into a secret, and parsed there. broker recognises the keeper by the
 * peer of its stdin.
 */
#include "credential_request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <event/child.h>

#include "options.h"

#define REQUEST_MOST 262144
/* How many times connect_timeout a request may take: for a login, a store and a service. */
#define HOPS 3

static struct {
    struct child child;
    struct watch answer;
    struct secret *text; /* the answer so far; NULL: no request is running */
    struct timer late;
    void (*done)(struct credential_answer *a, const struct err *e);
} asked = {.child = CHILD_INIT, .answer.fd = -1};

bool credential_request_runs(void)
{
    return asked.text;
}

static void stop(void)
{
    int fd = asked.answer.fd;

    timer_clear(&asked.late);
    loop_forget(&asked.answer);
    if (fd >= 0)
        (void)close(fd);
    secret_free(asked.text);
    asked.text = NULL;
}

static void finish(struct credential_answer *a, const struct err *e)
{
    stop();
    asked.done(a, e);
}

static void is_late(struct timer *t)
{
    struct err e = ERR_INIT;
    AUTO_BUF(time, 32);

    (void)t;
    child_forget(&asked.child);
    clock_format_duration(&time, HOPS * opt.target.connect_timeout);
    (void)err_set(&e, ERR_UNREACHABLE, "no credential within %s", buf_str(&time));
    (void)err_hint(&e, "raise connect_timeout; broker token shows what takes so long");
    finish(NULL, &e);
}

/* Returns like read(2). */
static ssize_t read_some(void)
{
    char chunk[4096];
    ssize_t n = asked.answer.fd >= 0 ? read(asked.answer.fd, chunk, sizeof chunk) : 0;

    /* If the answer is too long, it is truncated, and then counts as incomplete. */
    if (n > 0)
        (void)secret_add(asked.text, chunk, (size_t)n);
    explicit_bzero(chunk, sizeof chunk);
    return n;
}

static void answer_ready(struct watch *w, unsigned events)
{
    ssize_t n = read_some();

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        loop_want(w, 0);
}

static void broker_ended(struct child *c)
{
    struct err e = ERR_INIT;
    struct credential_answer answer = {0};

    for (size_t most = 0; most < SECRET_MAX / 4096 + 1 && read_some() > 0; most++)
        ;
    if (credential_answer_take(asked.text, c->status, buf_str(&c->stderr_tail), &answer, &e) == 0)
        finish(&answer, NULL);
    else
        finish(NULL, &e);
    credential_answer_release(&answer);
}

/* Appends "broker.KEY=VALUE" lines with the keys from OPEN. */
static int put_request(enum credential_how how, const char *user, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < opt.keys.count; i++) {
        if (strchr(opt.keys.word[i], '\n'))
            return err_set(e, ERR_CONFIG, "%.*s contains a newline", (int)strcspn(opt.keys.word[i], "="),
                           opt.keys.word[i]);
        buf_printf(out, "broker.%s\n", opt.keys.word[i]);
    }
    if (how != CREDENTIAL_KEPT)
        buf_puts(out, how == CREDENTIAL_ANEW ? "broker.fresh=yes\n" : "broker.renew=yes\n");
    if (user)
        buf_printf(out, "username=%s\n", user);
    buf_puts(out, "\n");
    return buf_ok(out) ? 0 : err_set(e, ERR_CONFIG, "over %d bytes of keys", REQUEST_MOST);
}

static int start(const char *verb, enum credential_how how, const char *user, struct err *e)
{
    char *argv[] = {opt.broker, (char *)(uintptr_t) "credential", (char *)(uintptr_t)verb, NULL};
    int pair[2] = {-1, -1};
    AUTO_BUF(request, REQUEST_MOST);
    AUTO_FD(ours);
    AUTO_FD(theirs);

    if (put_request(how, user, &request, e) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_set(e, ERR_TRY_LATER, "cannot create a socket: %s", strerror(errno));
    ours = pair[0];
    theirs = pair[1];
    /* The request fits into the socket's buffer, unless it is far too long. */
    (void)fcntl(ours, F_SETFL, O_NONBLOCK);
    if (send(ours, buf_str(&request), request.len, MSG_NOSIGNAL) != (ssize_t)request.len ||
        shutdown(ours, SHUT_WR) < 0)
        return err_set(e, ERR_TRY_LATER, "cannot ask for a credential: %s", strerror(errno));
    asked.child.socket = theirs;
    if (child_start(&asked.child, argv, NULL, e) < 0)
        return -1;
    asked.child.socket = -1;
    asked.answer.fd = fd_take(&ours);
    return 0;
}

void credential_request(enum credential_how how,
                        void (*done)(struct credential_answer *a, const struct err *e))
{
    struct err e = ERR_INIT;

    asked.done = done;
    asked.text = secret_new(SECRET_MAX);
    asked.child.ended = broker_ended;
    if (start("get", how, NULL, &e) < 0) {
        finish(NULL, &e);
        return;
    }
    loop_watch(&asked.answer, asked.answer.fd, LOOP_READ, answer_ready);
    timer_set(&asked.late, clock_deadline(HOPS * opt.target.connect_timeout, CLOCK_NEVER), is_late);
}

void credential_request_end(void)
{
    stop();
    child_forget(&asked.child);
}

/* Reads stderr here, because the event loop does not run any more. */
static void note_trouble(void)
{
    struct err e = ERR_INIT;
    char chunk[1024];
    AUTO_BUF(text, 4 * sizeof chunk);
    ssize_t n = read(asked.child.err.fd, chunk, sizeof chunk);

    if (n <= 0)
        return;
    text_sanitise(&text, chunk, (size_t)n);
    credential_answer_error(0, buf_str(&text), &e);
    log_warn(e.hint, "%s", e.msg);
}

void credential_request_erase(const char *user, int64_t deadline)
{
    struct err ignored = ERR_INIT;

    asked.child.ended = NULL;
    if (start("erase", CREDENTIAL_KEPT, user, &ignored) < 0)
        return;
    struct pollfd ended = {.fd = asked.child.life.fd, .events = POLLIN};
    while (poll(&ended, 1, clock_left(deadline)) < 0 && errno == EINTR)
        ;
    note_trouble();
    stop();
}
