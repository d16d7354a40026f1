/* SPDX-License-Identifier: MIT */
/*
 * What comes to the keeper in records: a request on the control socket, byte by byte as it may arrive, and
 * the request to open. A control request is taken whole or not at all, however it is cut; an answer is always
 * a record; a request to open that is accepted has an endpoint, ends with addresses, and a type.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ipc/keeper.h>
#include <keeper/status_socket.h>
#include <keeper/options.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static void ask(const uint8_t *data, size_t size)
{
    bool stop = false, stopped = false;
    int whole = 0;

    for (size_t n = 0; n <= size && n <= STATUS_REQUEST_MAX && whole == 0; n++) {
        AUTO_RECORD(answer);
        whole = status_answer(data, n, &answer, &stop);
        check(whole <= 0 || answer.kind == RECORD_OK || answer.kind == RECORD_ERROR);
        check(!stop || whole == 1);
        stopped = stop;
    }
    if (whole > 0) {
        AUTO_RECORD(again);
        check(status_answer(data, size, &again, &stop) == 1 && stop == stopped);
    }
}

static void options_release(struct options *o)
{
    char *const texts[] = {o->label,       o->name,        o->target.host, o->target.socket, o->tls.name,
                           o->tls.ca,      o->tls.cert,    o->tls.key,     o->control,       o->log,
                           o->tls.ciphers, o->tls.version, o->digest,      o->endpoint};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (unsigned i = 0; i < LISTENERS_MOST; i++) {
        free(o->listener[i].path);
        free(o->listener[i].host);
    }
    words_release(&o->target.keys);
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
