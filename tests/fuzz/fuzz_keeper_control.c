/* SPDX-License-Identifier: MIT */
/*
 * The records that the keeper receives: a request on the control socket, in two pieces, and the request to
 * open. A control request is accepted as a whole or not at all, wherever it is cut; an answer is always a
 * record; a request to open that is accepted has an endpoint, listeners with addresses, and a name.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <ipc/keeper.h>
#include <keeper/status_socket.h>
#include <keeper/options.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

/* Returns the result of receiving the bytes in two pieces. */
static int receive(const uint8_t *data, size_t size, size_t cut, struct record *request)
{
    AUTO_BUF(in, 4096);
    int fds[2], got = -1;

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        abort();
    check(write(fds[1], data, cut) == (ssize_t)cut);
    if (cut > 0)
        got = record_receive(fds[0], &in, request);
    if (got == 0 || cut == 0) {
        check(write(fds[1], data + cut, size - cut) == (ssize_t)(size - cut));
        got = record_receive(fds[0], &in, request);
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
    return got;
}

static void ask(const uint8_t *data, size_t size)
{
    AUTO_RECORD(cut);
    AUTO_RECORD(whole);
    AUTO_RECORD(answer);
    size_t n = size < 4096 ? size : 4096;

    if (n == 0)
        return;
    int got = receive(data, n, 0, &whole);
    check(receive(data, n, data[n - 1] % n, &cut) == got);
    if (got <= 0)
        return;
    check(cut.kind == whole.kind && cut.body.len == whole.body.len);
    check(status_answer(&whole, &answer) == (whole.kind == KEEPER_STOP));
    check(answer.kind == RECORD_OK || answer.kind == RECORD_ERROR);
}

static void options_release(struct options *o)
{
    char *const texts[] = {o->label,    o->name,     o->target.host, o->target.socket,
                           o->tls.name, o->tls.ca,   o->tls.cert,    o->tls.key,
                           o->control,  o->log,      o->tls.ciphers, o->tls.version,
                           o->digest,   o->endpoint, o->broker,      o->user};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (unsigned i = 0; i < LISTENERS_MOST; i++) {
        free(o->listener[i].path);
        free(o->listener[i].host);
    }
    words_release(&o->target.keys);
    words_release(&o->keys);
    secret_free(o->password);
}

static void open_request(const uint8_t *data, size_t size)
{
    AUTO_RECORD(open);
    struct err e = ERR_INIT;

    if (record_parse(data, size, &open, &e) < 0)
        return;
    opt = (struct options){0};
    if (options_parse(&open, &opt, &e) == 0) {
        check(!opt.target.host != !opt.target.socket && opt.listeners > 0 && opt.listeners <= LISTENERS_MOST);
        for (unsigned i = 0; i < opt.listeners; i++)
            check(!opt.listener[i].path != !opt.listener[i].host && opt.listener[i].port <= 65535);
        check(strlen(target_name(&opt.target)) > 0);
        (void)target_key(&opt.target, "type");
    }
    options_release(&opt);
    opt = (struct options){0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ask(data, size);
    open_request(data, size);
    return 0;
}
