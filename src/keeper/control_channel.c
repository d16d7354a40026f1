/* SPDX-License-Identifier: MIT */
/*
 * Communication with broker on fds 0 and 1: OPEN, questions, log lines, READY or an error. If broker closes
 * the channel before READY, the keeper ends; afterwards broker need not be running, and no more questions are
 * asked.
 */
#include "control_channel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <event/loop.h>
#include <event/terminal.h>
#include <mysql/client_error.h>
#include <tunnel/tell.h>

#include "credential.h"
#include "describe.h"
#include "expiry.h"
#include "options.h"

#define PATIENCE_MS 10000
#define LOG_LINE_MAX 8192
#define QUESTIONS_MOST 64 /* for one tunnel: many more than a real one needs */
#define GRACE_MS 5000     /* broker itself ends a question at its deadline */

static struct watch from_broker = {.fd = -1};
static const struct control_events *keeper;
static bool closed, stays;
static unsigned asked; /* the number of questions asked */

void control_init(const struct control_events *events)
{
    keeper = events;
}

int control_open(struct err *e)
{
    AUTO_RECORD(open);

    if (record_read(STDIN_FILENO, &open, clock_deadline(PATIENCE_MS, CLOCK_NEVER), e) <= 0)
        keeper->quit(ERR_PROTOCOL);
    opt.target.ask = control_ask;
    return options_parse(&open, &opt, e);
}

static int send_record(const struct record *r)
{
    struct err ignored = ERR_INIT;

    return record_write(STDOUT_FILENO, r, clock_deadline(PATIENCE_MS, CLOCK_NEVER), &ignored);
}

/* Answers with the last error sent under the previous mark, if any. */
static void answer_mark(const struct record *said)
{
    AUTO_RECORD(answer);
    const struct err *last = told_last();

    answer.kind = RECORD_OK;
    if (last)
        record_put_error(&answer, last);
    (void)send_record(&answer);
    told_mark(record_str(said, KEEPER_TAG_TEXT));
}

static void take_credential(const struct record *given)
{
    AUTO_RECORD(answer);
    struct err e = ERR_INIT;

    answer.kind = RECORD_OK;
    if (credential_give(given, &e) < 0)
        record_put_error(&answer, &e);
    (void)send_record(&answer);
}

static void control_read(struct watch *w, unsigned events)
{
    AUTO_RECORD(said);
    struct err ignored = ERR_INIT;

    (void)events;
    int got = record_read(w->fd, &said, clock_deadline(PATIENCE_MS, CLOCK_NEVER), &ignored);
    if (got > 0 && said.kind == KEEPER_STOP) {
        keeper->stop();
        return;
    }
    if (got > 0 && said.kind == KEEPER_SHOWN) {
        tell_asked();
        return;
    }
    if (got > 0 && said.kind == KEEPER_STAY) {
        stays = true;
        return;
    }
    if (got > 0 && opt.target.ready && said.kind == KEEPER_MARK) {
        answer_mark(&said);
        return;
    }
    if (got > 0 && opt.target.ready && said.kind == KEEPER_EXPIRES) {
        expiry_watch((time_t)record_u64(&said, KEEPER_TAG_EXPIRES, 0));
        return;
    }
    if (got > 0 && opt.target.ready && opt.logs_in && said.kind == KEEPER_CREDENTIAL) {
        take_credential(&said);
        return;
    }
    if (!opt.target.ready || (!stays && !keeper->has_owner()))
        keeper->quit(0);
    closed = true;
    loop_forget(w);
}

void control_watch(void)
{
    loop_watch(&from_broker, STDIN_FILENO, LOOP_READ, control_read);
}

void control_ready(void)
{
    AUTO_RECORD(answer);

    answer.kind = RECORD_OK;
    describe_forward(&answer);
    if (send_record(&answer) < 0)
        keeper->quit(0);
    terminal_silence();
    opt.target.ready = true;
}

void control_failed(const struct err *e)
{
    AUTO_RECORD(answer);

    record_put_error(&answer, e);
    (void)send_record(&answer);
}

void control_ended(void)
{
    AUTO_RECORD(last);

    last.kind = RECORD_OK;
    if (opt.target.ready && !closed)
        (void)send_record(&last);
}

static int read_answer(struct record *answer, struct err *e)
{
    AUTO_BUF(time, 32);

    if (!keeper->wait(STDIN_FILENO, clock_deadline(opt.target.login_timeout + GRACE_MS, CLOCK_NEVER))) {
        asked = QUESTIONS_MOST; /* a late answer could be mistaken for that of another question */
        clock_format_duration(&time, opt.target.login_timeout);
        (void)err_set(e, ERR_LOGIN, "no answer within %s", buf_str(&time));
        return err_hint(e, "raise login_timeout");
    }
    do {
        record_release(answer);
        if (record_read(STDIN_FILENO, answer, clock_deadline(PATIENCE_MS, CLOCK_NEVER), e) <= 0 ||
            answer->kind == KEEPER_STOP)
            keeper->quit(0);
    } while (answer->kind == KEEPER_SHOWN);
    return answer->kind == KEEPER_ANSWER ? 0 : record_error(answer, e);
}

/* The time for a user's answer does not count; for a store or program it does, otherwise the server could ask
 * forever. */
static void give_back(int64_t took, int64_t *deadline)
{
    if (opt.deadline != CLOCK_NEVER)
        opt.deadline += took;
    if (deadline && *deadline != CLOCK_NEVER)
        *deadline += took;
}

int control_ask(enum keeper_question kind, const char *text, bool again, int64_t *deadline,
                struct secret **answer, struct err *e)
{
    AUTO_RECORD(question);
    AUTO_RECORD(said);
    int64_t began = clock_ms();
    struct field person;

    if (opt.target.ready)
        return err_set(e, ERR_LOGIN, "%s", text);
    if (++asked > QUESTIONS_MOST)
        return err_set(e, ERR_LOGIN, "it asks more than %d questions", QUESTIONS_MOST);
    question.kind = KEEPER_ASK;
    record_put_u64(&question, KEEPER_TAG_KIND, kind);
    record_put_str(&question, KEEPER_TAG_TEXT, text);
    if (again)
        record_put(&question, KEEPER_TAG_AGAIN, "", 0);
    if (send_record(&question) < 0)
        keeper->quit(0);
    int result = read_answer(&said, e);
    if (record_find(&said, KEEPER_TAG_PERSON, &person))
        give_back(clock_ms() - began, deadline);
    if (result < 0)
        return -1;
    *answer = record_secret(&said, KEEPER_TAG_SECRET);
    return *answer ? 0 : err_set(e, ERR_PROTOCOL, "no answer in it");
}

/* The label of a step comes first; the label of a warning is its hint and comes last. */
static void log_to_file(enum log_level level, const char *label, const char *text)
{
    bool hint = label && *label && level == LOG_WARNING, step = label && *label && !hint;
    AUTO_BUF(line, LOG_LINE_MAX);
    struct err ignored = ERR_INIT;
    AUTO_FD(fd);

    fd = file_open_log(opt.log, &ignored);
    if (fd < 0)
        return;
    clock_format_utc(&line, time(NULL));
    buf_printf(&line, " %s: %s%s%s%s%s\n", opt.label ? opt.label : "broker", step ? label : "",
               step ? ": " : "", text, hint ? ", hint: " : "", hint ? label : "");
    (void)!write(fd, buf_str(&line), line.len);
}

void control_log(enum log_level level, const char *label, const char *text)
{
    AUTO_RECORD(said);

    if (opt.target.ready || closed) {
        if (opt.log)
            log_to_file(level, label, text);
        return;
    }
    said.kind = KEEPER_SAY;
    record_put_u64(&said, KEEPER_TAG_LEVEL, level);
    record_put_str(&said, KEEPER_TAG_HOP, label);
    record_put_str(&said, KEEPER_TAG_TEXT, text);
    (void)send_record(&said);
}
