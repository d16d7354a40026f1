/* SPDX-License-Identifier: MIT */
/*
 * Runs the user's program, without a shell; placeholders are filled in after splitting the arguments.
 * program_place.c chooses the local address. The arguments are never shown, because they may contain secrets.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/listening.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <event/child.h>
#include <tunnel/tell.h>

#include "program_place.h"
#include "ready.h"

#define LOOK_MS 20
/* Time allowed between the text of `ready` and the listener: the program may print the text first, and not
 * every listener is visible. */
#define PROMISE_MS 1000
/* A little more than the grace period of a process group (event/child.h). */
#define GRACE_MS 2500
#define STARTS_MOST 3
#define WORD_MOST 65536

static struct {
    const struct target *target;
    struct words words;     /* from the key `command`, placeholders not filled in */
    int64_t timeout, limit; /* the time limit; the longer limit if the user may be asked */
    struct program_place place;
    struct child child;
    struct ready ready;
    struct timer look, late;
    unsigned starts;         /* number of starts in the same call of program_start() */
    bool before;             /* it ran before in this process: its address may still be in use for a moment */
    int64_t began, promised; /* promised: when it printed the text of `ready`; 0: not yet */
    bool forked;             /* it put itself in the background, so it is not started again */
    bool up;
    bool starting; /* service_settled() was not called yet */
    struct tunnel_service *service;
} program = {.child = CHILD_INIT, .ready = READY_INIT};

const char *program_name(void)
{
    const char *word = program.words.count ? program.words.word[0] : "", *slash = strrchr(word, '/');

    return slash && slash[1] ? slash + 1 : word;
}

const struct program_end *program_local_end(void)
{
    return &program.place.end;
}

int program_prepare(const struct target *target, struct tunnel_service *service, struct err *e)
{
    const char *command = target_key(target, "command"), *timeout = target_key(target, "connect_timeout");
    unsigned long ms;

    program.target = target;
    program.service = service;
    if (!command) {
        (void)err_set(e, ERR_CONFIG, "a tunnel of type command needs command");
        return err_hint(e, "command = PROGRAM ARGUMENT...");
    }
    if (text_split_words(command, &program.words, e) < 0) {
        (void)err_prefix(e, "command");
        return err_hint(e, "command = PROGRAM ARGUMENT..., quoted as for sh");
    }
    program.timeout = text_number(timeout, INT32_MAX, &ms) && ms ? (int64_t)ms : target->connect_timeout;
    return place_choose(&program.place, target, &program.words, e);
}

/* Ends the program, if it runs, and reports the error. */
static void fail(const struct err *e)
{
    bool starting = program.starting;

    program_stop();
    if (starting)
        service_settled(program.service, e);
}

static void be_up(void)
{
    tell_end();
    timer_clear(&program.look);
    timer_clear(&program.late);
    program.up = true;
    program.starting = false;
    service_settled(program.service, NULL);
}

static void look(struct timer *t)
{
    bool listens = place_is_served(&program.place, true);

    if (!listens && (!program.promised || clock_ms() < program.promised + PROMISE_MS)) {
        timer_set(t, clock_ms() + LOOK_MS, look);
        return;
    }
    if (!listens && program.place.wants_port)
        program.place.end.host = "127.0.0.1";
    be_up();
}

static void printed(struct child *c, const char *bytes, size_t n)
{
    if (program.up)
        return;
    ready_feed(&program.ready, bytes, n);
    if (!program.ready.found || program.promised || c->pid == 0)
        return;
    program.promised = clock_ms();
    timer_clear(&program.late);
    look(&program.look);
}

static void program_is_late(struct timer *t)
{
    struct err e = ERR_INIT;
    int64_t deadline = clock_ms();
    AUTO_BUF(time, 32);
    AUTO_BUF(end, 256);

    if (tell_gives_time(&deadline)) {
        program.limit = program.target->login_timeout;
        timer_set(t, deadline, program_is_late);
        return;
    }
    clock_format_duration(&time, program.limit);
    place_put(&program.place, &end);
    (void)err_set(&e, ERR_UNREACHABLE, "%s: not ready within %s", program_name(), buf_str(&time));
    (void)err_detail_lines(&e, buf_str(&program.child.stderr_tail));
    if (program.ready.text)
        (void)err_hint(
            &e, "it must print the text of ready, or listen at %s; if it is slow, raise connect_timeout",
            buf_str(&end));
    else
        (void)err_hint(&e, "it must listen at %s, or set ready; if it is slow, raise connect_timeout",
                       buf_str(&end));
    fail(&e);
}

static void try_start(void);

static void why_forked(struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "%s: it went into the background", program_name());
    (void)err_hint(e, "the tunnel's command must stay in the foreground: ssh without -f");
}

static void why_ended(const char *when, struct err *e)
{
    AUTO_BUF(how, 64);

    if (program.forked) {
        why_forked(e);
        return;
    }
    proc_describe_status(&how, program.child.status);
    (void)err_set(e, ERR_UNREACHABLE, "%s: %s%s", program_name(), buf_str(&how), when);
    (void)err_detail_lines(e, buf_str(&program.child.stderr_tail));
    (void)err_hint(e, "run the tunnel's command by hand: it must stay in the foreground");
}

static bool ended_well(const struct child *c)
{
    return WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0;
}

/* Another process may have taken the port after it was chosen. A program that exits with 0 does not report
 * that. */
static bool is_port_taken(const struct child *c)
{
    const char *at;

    return program.place.wants_port && !ended_well(c) &&
           (ready_says_taken(buf_str(&c->stderr_tail)) ||
            listening_tcp(NULL, program.place.end.port, false, &at));
}

static void ended(struct child *c)
{
    struct err e = ERR_INIT;

    timer_clear(&program.look);
    program.forked = ended_well(c) && c->left;
    if (program.up) {
        why_ended("", &e);
        program.up = false;
        service_lost(program.service, &e);
        return;
    }
    if (is_port_taken(c) && program.starts < STARTS_MOST) {
        log_trace("route", "%s: port %u was in use, trying another one", program_name(),
                  program.place.end.port);
        try_start();
        return;
    }
    why_ended(" before it was ready", &e);
    fail(&e);
}

static int fill_words(struct words *out, struct err *e)
{
    static const char *const names[] = {"host", "port", "local_port", "socket", NULL};
    char port[16], local_port[16];
    const char *values[] = {program.target->host, port, local_port, program.place.end.path, NULL};

    (void)snprintf(port, sizeof port, "%u", program.target->port);
    (void)snprintf(local_port, sizeof local_port, "%u", program.place.end.port);
    for (size_t i = 0; i < program.words.count; i++) {
        AUTO_BUF(word, WORD_MOST);
        text_fill(&word, program.words.word[i], names, values);
        if (!buf_ok(&word))
            return err_set(e, ERR_CONFIG, "command: over %d bytes", WORD_MOST);
        words_take(out, buf_take(&word));
    }
    char *path = proc_find(out->word[0]);
    if (!path) {
        (void)err_set(e, ERR_CONFIG, "command: %s: no such program", out->word[0]);
        return err_hint(e, "install it, or write its full path in command");
    }
    mem_wipe_free(out->word[0]);
    out->word[0] = path;
    return 0;
}

static int run(struct err *e)
{
    AUTO_WORDS(words);

    if (place_renew(&program.place, e) < 0 || fill_words(&words, e) < 0)
        return -1;
    program.child.printed = printed;
    program.child.ended = ended;
    program.child.whole = program.child.asks = true;
    ready_begin(&program.ready, target_key(program.target, "ready"));
    program.promised = 0;
    program.starts++;
    program.before = true;
    if (child_start(&program.child, words.word, NULL, e) < 0)
        return err_prefix(e, "command");
    log_trace("route", "%s started, pid %ld", program_name(), (long)program.child.pid);
    return 0;
}

static void start_when_free(struct timer *t);

static void try_start(void)
{
    struct err e = ERR_INIT;

    if (run(&e) < 0)
        fail(&e);
    else
        timer_set(&program.look, clock_ms() + LOOK_MS, look);
}

/* The address must be free before the start; otherwise the listener of another process could be mistaken for
 * the program's. */
static void start_when_free(struct timer *t)
{
    struct err e = ERR_INIT;
    AUTO_BUF(end, 256);

    if (program.place.wants_port || program.place.wants_socket || !place_is_served(&program.place, false)) {
        try_start();
    } else if (program.before && clock_ms() < program.began + GRACE_MS) {
        timer_set(t, clock_ms() + LOOK_MS, start_when_free);
    } else {
        place_put(&program.place, &end);
        (void)err_set(&e, ERR_UNREACHABLE, "%s, where %s should listen, is already in use", buf_str(&end),
                      program_name());
        (void)err_hint(
            &e, "stop the program that listens there, or use {local_port} in command instead of address");
        fail(&e);
    }
}

static void gather(struct buf *out)
{
    buf_add(out, program.child.stderr_tail.data, program.child.stderr_tail.len);
}

void program_start(void)
{
    if (program.forked) {
        struct err e = ERR_INIT;
        why_forked(&e);
        service_settled(program.service, &e);
        return;
    }
    program.starting = true;
    program.starts = 0;
    program.began = clock_ms();
    program.limit = program.timeout;
    timer_set(&program.late, program.began + program.limit, program_is_late);
    tell_begin(program_name(), program.target, gather);
    start_when_free(&program.look);
}

void program_stop(void)
{
    timer_clear(&program.look);
    timer_clear(&program.late);
    tell_end();
    program.up = false;
    program.starting = false;
    child_forget(&program.child);
    if (program.place.wants_socket && program.place.end.path)
        (void)unlink(program.place.end.path);
}
