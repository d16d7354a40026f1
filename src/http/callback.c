/* SPDX-License-Identifier: MIT */
/*
 * The callback listener of a browser login, which is open only during that login. It prints nothing, and
 * passes what it received to the caller, which checks the code.
 */
#include "callback.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/holder.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/callback.h>

#include "callback_clients.h"

/* How long to wait for the browser to fetch the final page, which it does at once. */
#define SHOW_MS 2000
#define TRIES 16
enum { FOUR, SIX, FAMILIES };

static struct {
    int fd[FAMILIES];
    char *base, *state;
    struct callback_clients clients;
} here = {.fd = {-1, -1}, .clients.values = CALLBACK_VALUES_INIT};

static void close_all(void)
{
    for (int i = 0; i < FAMILIES; i++)
        fd_close_cleanup(&here.fd[i]);
    callback_close_all(&here.clients);
    callback_values_release(&here.clients.values);
    free(here.base);
    mem_wipe_free(here.state);
    here.base = here.state = NULL;
    here.clients = (struct callback_clients){.values = CALLBACK_VALUES_INIT};
}

/* --- opening the listener */

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static union address address_of(int family, unsigned port)
{
    union address a = {.any.sa_family = 0};

    if (family == SIX)
        a.six = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    else
        a.four = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return a;
}

/* Returns 0, or the errno value. */
static int listen_at(int family, unsigned port, int *out)
{
    union address a = address_of(family, port);
    socklen_t n = family == SIX ? sizeof a.six : sizeof a.four;
    int on = 1;
    AUTO_FD(fd);

    fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == SIX)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &a.any, n) < 0 || listen(fd, CALLBACK_CLIENTS) < 0)
        return errno;
    *out = fd_take(&fd);
    return 0;
}

static unsigned port_of(int fd)
{
    union address a = {.any.sa_family = 0};
    socklen_t n = sizeof a;

    if (getsockname(fd, &a.any, &n) < 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
}

static bool is_lacking(int failed)
{
    return failed == EADDRNOTAVAIL || failed == EAFNOSUPPORT;
}

/* Listens on IPv4 and IPv6 at the same port; one is enough if the machine does not have the other. Returns 0,
 * or the errno value and the family that failed. */
static int listen_both(unsigned *port, int *family)
{
    *family = FOUR;
    int four = listen_at(FOUR, *port, &here.fd[FOUR]);
    if (four && !is_lacking(four))
        return four;
    if (!four)
        *port = port_of(here.fd[FOUR]);
    int six = listen_at(SIX, *port, &here.fd[SIX]);
    if (!six || (is_lacking(six) && !four)) {
        *port = *port ? *port : port_of(here.fd[SIX]);
        return 0;
    }
    fd_close_cleanup(&here.fd[FOUR]);
    *family = SIX;
    return six;
}

static int say_taken(int family, unsigned port, int failed, struct err *e)
{
    union address a = address_of(family, port);
    const char *at = family == SIX ? "[::1]" : "127.0.0.1";
    AUTO_FREE(char *, holder);

    if (failed == EACCES) {
        (void)err_set(e, ERR_CONFIG, "%s:%u: not allowed to listen there", at, port);
        return err_hint(e, "set vault_callback = localhost:PORT with a port of 1024 or more");
    }
    holder = failed == EADDRINUSE ? holder_of_address(&a.any) : NULL;
    if (failed == EADDRINUSE)
        (void)err_set(e, ERR_UNREACHABLE, "%s:%u is taken%s%s", at, port, holder ? " by " : "",
                      holder ? holder : "");
    else
        (void)err_set(e, ERR_UNREACHABLE, "%s:%u: %s", at, port, strerror(failed));
    return err_hint(e, "stop that program, or set vault_callback = localhost:PORT");
}

static int open_listener(const struct record *request, struct record *answer, struct err *e)
{
    unsigned wanted = (unsigned)record_u64(request, CALLBACK_TAG_PORT, 0), port = wanted;
    int failed = EADDRINUSE, family = FOUR;

    close_all();
    here.base = record_str(request, CALLBACK_TAG_BASE);
    const char *path = here.base ? strstr(here.base, "://") : NULL;
    path = path ? strchr(path + 3, '/') : NULL;
    if (!path || wanted > 65535)
        return err_set(e, ERR_PROTOCOL, "a listener without a path");
    for (int i = 0; failed == EADDRINUSE && i < (wanted ? 1 : TRIES); i++) {
        port = wanted;
        failed = listen_both(&port, &family);
    }
    if (failed)
        return say_taken(family, port, failed, e);
    here.clients.want = (struct callback_wanted){.path = path, .port = port};
    record_put_u64(answer, CALLBACK_TAG_PORT, port);
    return 0;
}

/* --- the main loop */

/* Serves clients until *done, until the deadline, or until `input` (if not -1) is readable. */
static void serve(const bool *done, int64_t deadline, int input)
{
    struct pollfd p[CALLBACK_CLIENTS + FAMILIES + 1];

    while (!*done && clock_left(deadline) > 0) {
        int left = callback_poll_set(&here.clients, p, clock_left(deadline));
        for (int i = 0; i < FAMILIES; i++)
            p[CALLBACK_CLIENTS + i] = (struct pollfd){.fd = here.fd[i], .events = POLLIN};
        p[CALLBACK_CLIENTS + FAMILIES] = (struct pollfd){.fd = input, .events = POLLIN};
        if (poll(p, sizeof p / sizeof p[0], left) < 0)
            continue;
        callback_serve(&here.clients, p);
        for (int i = 0; i < FAMILIES; i++) {
            if (p[CALLBACK_CLIENTS + i].revents)
                callback_accept(&here.clients, here.fd[i]);
        }
        if (input >= 0 && p[CALLBACK_CLIENTS + FAMILIES].revents)
            return;
    }
}

static void put_result(struct record *answer)
{
    const struct callback_values *v = &here.clients.values;
    AUTO_BUF(said, 2048);

    if (!here.clients.came)
        return;
    if (v->code.len)
        record_put(answer, CALLBACK_TAG_CODE, buf_str(&v->code), v->code.len);
    if (v->id_token.len)
        record_put(answer, CALLBACK_TAG_ID_TOKEN, buf_str(&v->id_token), v->id_token.len);
    if (!v->error.len)
        return;
    text_sanitise_line(&said, buf_str(&v->error), v->error.len);
    if (v->description.len) {
        buf_puts(&said, ": ");
        text_sanitise_line(&said, buf_str(&v->description), v->description.len);
    }
    record_put_str(answer, CALLBACK_TAG_ERROR, buf_str(&said));
}

static int wait_for_it(const struct record *request, struct record *answer, struct err *e)
{
    struct callback_clients *c = &here.clients;
    struct field form;

    if (!here.base)
        return err_set(e, ERR_PROTOCOL, "a wait without a listener");
    mem_wipe_free(here.state);
    here.state = record_str(request, CALLBACK_TAG_STATE);
    c->want.base = here.base;
    c->want.state = c->came ? NULL : here.state;
    c->want.form = record_find(request, CALLBACK_TAG_FORM, &form);
    serve(&c->came, clock_deadline((int64_t)record_u64(request, CALLBACK_TAG_TIMEOUT, 0), CLOCK_NEVER),
          STDIN_FILENO);
    put_result(answer);
    return 0;
}

static int take_pasted(const struct record *request, struct record *answer, struct err *e)
{
    struct callback_clients *c = &here.clients;
    struct field text;

    if (!here.base || !record_find(request, CALLBACK_TAG_TEXT, &text))
        return err_set(e, ERR_PROTOCOL, "an address without a listener");
    if (!c->came && callback_judge_pasted(&c->want, text.bytes, text.len, &c->values) == CALLBACK_IS) {
        c->came = true;
        /* No browser is waiting for the final page. */
        c->shown = true;
        c->want.state = NULL;
    }
    put_result(answer);
    return 0;
}

static int finish(const struct record *request)
{
    struct callback_clients *c = &here.clients;
    struct field good;

    c->result = record_find(request, CALLBACK_TAG_GOOD, &good) ? CALLBACK_GOOD : CALLBACK_FAILED;
    callback_show(c);
    if (c->came)
        serve(&c->shown, clock_deadline(SHOW_MS, CLOCK_NEVER), -1);
    close_all();
    return 0;
}

int callback_handle(const struct record *request, struct record *answer, struct err *e)
{
    switch (request->kind) {
    case CALLBACK_VERB_OPEN:
        return open_listener(request, answer, e);
    case CALLBACK_VERB_WAIT:
        return wait_for_it(request, answer, e);
    case CALLBACK_VERB_PASTE:
        return take_pasted(request, answer, e);
    case CALLBACK_VERB_FINISH:
        return finish(request);
    default:
        return err_set(e, ERR_PROTOCOL, "a request of kind %d", request->kind);
    }
}
