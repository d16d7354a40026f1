/* SPDX-License-Identifier: MIT */
/* Starts a keeper and talks to it until it is ready. What it opens is taken from the plan (route_record.c);
 * its questions are answered in route_answer.c. It does not ask for the database credential. */
#include "route.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/tty.h>
#include <base/tty_relay.h>
#include <ipc/helper.h>
#include <model/address.h>

#include "route_answer.h"

#define KEEPER "broker-keeper"
/* The keeper enforces the deadline of each hop and reports which one failed. Our own, longer limit applies
 * only if it does not. */
#define HOPS_MOST 4
#define GRACE_MS 2000
#define STOP_MS 1000
#define PASSWORD_BYTES 16
#define MARK_MS 10000 /* milliseconds; the keeper answers as soon as it has finished its current step */

void route_release(struct route *w)
{
    fd_close_cleanup(&w->channel);
    free(w->text);
    secret_free(w->password);
    secret_free(w->nothing);
    for (size_t i = 0; i < ARRAY_LEN(w->listener); i++)
        local_address_release(&w->listener[i]);
    *w = (struct route)ROUTE_INIT;
}

void route_stop(struct route *w)
{
    AUTO_RECORD(stop);
    struct err ignored = ERR_INIT;

    if (w->channel < 0)
        return;
    stop.kind = KEEPER_STOP;
    (void)record_write(w->channel, &stop, clock_deadline(STOP_MS, CLOCK_NEVER), &ignored);
    fd_close_cleanup(&w->channel);
}

/* Tells the keeper a mark. Returns 1 if it has nothing to report, 0 if it has gone or does not answer, -1
 * with *e set to the error that it reports. */
static int ask_mark(struct route *w, const char *mark, struct err *e)
{
    AUTO_RECORD(ask);
    AUTO_RECORD(answer);
    int64_t until = clock_deadline(MARK_MS, CLOCK_NEVER);
    struct err ignored = ERR_INIT;

    if (w->channel < 0)
        return 0;
    ask.kind = KEEPER_MARK;
    record_put_str(&ask, KEEPER_TAG_TEXT, mark);
    if (record_write(w->channel, &ask, until, &ignored) < 0 ||
        record_read(w->channel, &answer, until, &ignored) <= 0)
        return 0;
    return answer.kind == RECORD_ERROR ? record_error(&answer, e) : 1;
}

void route_mark(struct route *w, char **mark)
{
    struct err ignored = ERR_INIT;
    char *text = mem_printf("%08x%08x", randombytes_random(), randombytes_random());

    *mark = NULL;
    if (ask_mark(w, text, &ignored) > 0)
        *mark = text;
    else
        free(text);
}

int route_unmark(struct route *w, struct err *e)
{
    return ask_mark(w, NULL, e) < 0 ? -1 : 0;
}

void route_expires(struct route *w, time_t at)
{
    AUTO_RECORD(said);
    struct err ignored = ERR_INIT;

    said.kind = KEEPER_EXPIRES;
    record_put_u64(&said, KEEPER_TAG_EXPIRES, (uint64_t)at);
    if (w->channel >= 0)
        (void)record_write(w->channel, &said, clock_deadline(MARK_MS, CLOCK_NEVER), &ignored);
}

/* Reports that the keeper ended without an error record. If it had not read all our data, we see a read error
 * instead of end of file. */
static int keeper_has_gone(struct err *e)
{
    (void)err_set(e, ERR_PROTOCOL, "%s: exited without an answer", KEEPER);
    return err_hint(e, "please report this, with the output of broker bugreport");
}

int route_credential(struct route *w, const struct credential *c, bool is_kept, struct err *e)
{
    AUTO_RECORD(given);
    AUTO_RECORD(answer);
    int64_t until = clock_deadline(MARK_MS, CLOCK_NEVER);

    given.kind = KEEPER_CREDENTIAL;
    record_put_str(&given, KEEPER_TAG_USER, c->user);
    record_put_secret(&given, KEEPER_TAG_SECRET, c->password);
    if (c->expires_at)
        record_put_u64(&given, KEEPER_TAG_EXPIRES, (uint64_t)c->expires_at);
    if (c->made_at)
        record_put_u64(&given, KEEPER_TAG_MADE, (uint64_t)c->made_at);
    if (is_kept)
        record_put(&given, KEEPER_TAG_STATIC, "", 0);
    if (record_write(w->channel, &given, until, e) < 0)
        return e->code == ERR_PROTOCOL ? keeper_has_gone(e) : err_prefix(e, "%s", KEEPER);
    int more = record_read(w->channel, &answer, until, e);
    if (more == 0 || (more < 0 && e->code == ERR_IO))
        return keeper_has_gone(e);
    if (more < 0)
        return err_prefix(e, "%s", KEEPER);
    if (answer.kind == RECORD_ERROR)
        return record_error(&answer, e);
    return answer.kind == RECORD_OK
               ? 0
               : err_set(e, ERR_PROTOCOL, "%s: a record of kind %d", KEEPER, answer.kind);
}

/* Sets the environment that the keeper and its tunnel's programs get. Variables that may hold our secrets are
 * removed. */
static void keeper_environment(const struct profile *p, struct env_changes *env)
{
    static const char *const kept[] = {"BROKER_CONFIG", "BROKER_ASKPASS", "BROKER_NO_INPUT"};

    for (char **entry = environ; entry && *entry; entry++) {
        AUTO_FREE(char *, name);
        bool keep = !text_starts(*entry, "BROKER_");
        name = mem_strndup(*entry, strcspn(*entry, "="));
        for (size_t i = 0; i < ARRAY_LEN(kept); i++)
            keep |= text_equal(name, kept[i]);
        if (!keep)
            env_unset(env, name);
    }
    env_unset(env, "MYSQL_PWD");
    if (text_equal(profile_str(p, KEY_auth), "env") && profile_str(p, KEY_auth_env))
        env_unset(env, profile_str(p, KEY_auth_env));
}

static void log_said(const struct record *said)
{
    AUTO_FREE(char *, text);
    AUTO_FREE(char *, hop);

    text = record_str(said, KEEPER_TAG_TEXT);
    hop = record_str(said, KEEPER_TAG_HOP);
    const char *words = text ? text : "", *label = hop ? hop : "route";
    uint64_t level = record_u64(said, KEEPER_TAG_LEVEL, LOG_TRACE);
    if (level == LOG_SAY)
        log_say("%s", words);
    else if (level == LOG_WARNING)
        log_warn(hop, "%s", words);
    else if (level == LOG_NOTE)
        log_note("%s", words);
    else if (level == LOG_STEP)
        log_step(label, "%s", words);
    else
        log_trace(label, "%s", words);
}

static int take_ready(const struct record *ready, const struct route_request *want, struct route *out,
                      struct err *e)
{
    struct field f;
    size_t offset = 0;

    out->pid = (long)record_u64(ready, KEEPER_TAG_PID, 0);
    out->text = record_str(ready, KEEPER_TAG_ROUTE);
    while (record_next(ready, &offset, &f, e) > 0) {
        if (f.tag == KEEPER_TAG_LISTENER && (out->listeners == ARRAY_LEN(out->listener) ||
                                             !local_address_take(&f, &out->listener[out->listeners++])))
            return err_set(e, ERR_PROTOCOL, "%s: a local address is malformed", KEEPER);
    }
    if (out->listeners != want->listeners)
        return err_set(e, ERR_PROTOCOL, "%s: %u local addresses instead of %u", KEEPER, out->listeners,
                       want->listeners);
    if (!out->text)
        out->text = mem_strdup("");
    return 0;
}

/* Returns the name of the hop that we wait for, for the wait line; without SSH's port. */
static char *hop_name(const struct profile *p, const struct plan *plan)
{
    const char *user = profile_tunnel_str(p, TUNNEL_user), *host = profile_tunnel_str(p, TUNNEL_host);

    if (!profile_is_tunnelled(p))
        return mem_strdup(plan->endpoint);
    if (!text_equal(profile_tunnel_str(p, TUNNEL_type), "ssh") || !host)
        return mem_strdup(plan->route);
    return user ? mem_printf("ssh %s@%s", user, host) : mem_printf("ssh %s", host);
}

/* Returns the time limit of the slowest hop, for the wait line. */
static int64_t hop_ms(const struct profile *p)
{
    const char *tunnel = profile_tunnel_str(p, TUNNEL_connect_timeout);
    long ms;

    return tunnel && duration_parse(tunnel, &ms) ? ms : profile_ms(p, KEY_connect_timeout);
}

struct talk {
    struct tty_relay terminal;
    const struct profile *p;
    int channel;
    int64_t deadline; /* the deadline of the whole run */
    struct route_answers answers;
    bool asked; /* the user had to answer a question */
};

/* Tells the keeper that its question is shown. A failure is ignored: the next read from the channel reports
 * it. */
static void say_shown(int channel)
{
    AUTO_RECORD(shown);
    struct err ignored = ERR_INIT;

    shown.kind = KEEPER_SHOWN;
    (void)record_write(channel, &shown, clock_deadline(STOP_MS, CLOCK_NEVER), &ignored);
}

/* Waits, and shows one hop after another in the wait line, because it is not known here which hop the keeper
 * has reached. */
static void wait_for_record(struct talk *t, int64_t until)
{
    while (clock_left(until) > 0) {
        int64_t last = clock_ms() < t->deadline ? t->deadline : until;
        bool used = tty_relay_was_used(&t->terminal);
        if (tty_relay_wait(&t->terminal, t->channel, clock_deadline(hop_ms(t->p), last)))
            return;
        if (!used && tty_relay_was_used(&t->terminal))
            say_shown(t->channel);
    }
}

/* Answers questions and prints log lines until the keeper is ready or reports an error. */
static int talk_until_ready(struct talk *t, struct record *got, struct err *e)
{
    for (;;) {
        int64_t person = profile_ms(t->p, KEY_login_timeout);
        int64_t patience = (HOPS_MOST * hop_ms(t->p)) + person + GRACE_MS;
        int64_t late = clock_later(t->deadline, GRACE_MS);
        int64_t until = clock_deadline(patience, late);

        wait_for_record(t, until);
        int more = record_read(t->channel, got, until, e);
        if (more == 0 || (more < 0 && e->code == ERR_IO))
            return keeper_has_gone(e);
        if (more < 0)
            return err_prefix(e, "%s", KEEPER);
        if (got->kind == RECORD_ERROR)
            return record_error(got, e);
        if (got->kind == RECORD_OK)
            return 0;
        int64_t began = clock_ms();
        if (got->kind == KEEPER_SAY)
            log_said(got);
        else if (got->kind != KEEPER_ASK)
            return err_set(e, ERR_PROTOCOL, "%s: a record of kind %d", KEEPER, got->kind);
        else {
            tty_relay_pause(&t->terminal);
            route_answer(t->channel, got, &t->answers);
        }
        if (t->deadline != CLOCK_NEVER && t->answers.by_user)
            t->deadline += clock_ms() - began;
        t->asked |= t->answers.by_user;
        t->answers.by_user = false;
    }
}

/* Returns a new random password that clients must use at the keeper's ports, and that `forward` prints; it is
 * useless elsewhere. NULL if this keeper needs none. */
static struct secret *want_password(const struct route_request *want)
{
    char text[2 * PASSWORD_BYTES + 1];
    unsigned char bytes[PASSWORD_BYTES];
    struct secret *password = NULL;

    if (!route_logs_in(want) || (!want->name && !route_has_port(want)))
        return NULL;
    randombytes_buf(bytes, sizeof bytes);
    (void)sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    password = secret_from(text, sizeof text - 1);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(text, sizeof text);
    return password;
}

int route_open(const struct profile *p, const struct plan *plan, const struct route_request *want,
               int64_t deadline, struct route *out, struct err *e)
{
    AUTO_RECORD(open);
    AUTO_RECORD(ready);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, hop);
    struct env_changes env = {0};
    bool opened = false;
    struct talk talk = {.p = p, .terminal = TTY_RELAY_INIT, .deadline = deadline, .answers = {.profile = p}};

    path = helper_path(KEEPER);
    keeper_environment(p, &env);
    if (profile_is_tunnelled(p) && !want->detached)
        tty_relay_open(&talk.terminal);
    int started = proc_spawn_keeper(path, &env, want->detached, talk.terminal.master, &out->channel, e);
    env_release(&env);
    if (started < 0) {
        tty_relay_end(&talk.terminal);
        return -1;
    }
    talk.channel = out->channel;
    talk.terminal.whose = hop = hop_name(p, plan);
    out->password = want_password(want);
    route_record(plan, want, out->password, deadline, &open);
    if (record_write(out->channel, &open, clock_deadline(GRACE_MS, deadline), e) < 0)
        (void)(e->code == ERR_PROTOCOL ? keeper_has_gone(e) : err_prefix(e, "%s", KEEPER));
    else
        opened = talk_until_ready(&talk, &ready, e) == 0 && take_ready(&ready, want, out, e) == 0;
    out->nothing = secret_new(0);
    out->asked = talk.asked || tty_relay_was_used(&talk.terminal);
    tty_relay_end(&talk.terminal);
    if (!opened) {
        route_release(out);
        return -1;
    }
    log_step("route", "%s", out->text);
    return 0;
}
