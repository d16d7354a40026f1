/* SPDX-License-Identifier: MIT */
/* broker's side of the callback listener. A new request ends a wait in the helper, which then sends two
 * answers: to the wait, and to the request. */
#include <ipc/callback.h>

#include <poll.h>
#include <stdio.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/tty.h>

#include "http_helper.h"

static bool is_waiting; /* the helper has not answered the last WAIT yet */

void callback_release(struct callback *c)
{
    secret_free(c->code);
    secret_free(c->id_token);
    *c = (struct callback){0};
}

int callback_open(const char *host, unsigned *port, const char *path, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);
    AUTO_FREE(char *, base);

    base = mem_printf("http://%s%s", host, path);
    request.kind = CALLBACK_VERB_OPEN;
    record_put_str(&request, CALLBACK_TAG_BASE, base);
    record_put_u64(&request, CALLBACK_TAG_PORT, *port);
    http_helper.waiting_for = NULL;
    is_waiting = false;
    if (helper_call(&http_helper, &request, &answer, deadline, e) < 0)
        return -1;
    *port = (unsigned)record_u64(&answer, CALLBACK_TAG_PORT, *port);
    return 0;
}

/* Returns 1 if the answer has a code, a token or an error. */
static int take(const struct record *answer, struct callback *out)
{
    AUTO_FREE(char *, said);

    callback_release(out);
    out->code = record_secret(answer, CALLBACK_TAG_CODE);
    out->id_token = record_secret(answer, CALLBACK_TAG_ID_TOKEN);
    said = record_str(answer, CALLBACK_TAG_ERROR);
    if (said)
        (void)snprintf(out->error, sizeof out->error, "%s", said);
    return out->code || out->id_token || said;
}

/* Receives the answer to WAIT. */
static int take_wait(int64_t deadline, struct callback *out, struct err *e)
{
    AUTO_RECORD(answer);

    is_waiting = false;
    if (helper_receive(&http_helper, &answer, clock_later(deadline, HTTP_GRACE_MS), e) < 0)
        return -1;
    return take(&answer, out);
}

static int begin_wait(const struct secret *state, bool form, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);

    if (is_waiting)
        return 0;
    request.kind = CALLBACK_VERB_WAIT;
    record_put_secret(&request, CALLBACK_TAG_STATE, state);
    record_put_u64(&request, CALLBACK_TAG_TIMEOUT, (uint64_t)clock_left(deadline));
    if (form)
        record_put(&request, CALLBACK_TAG_FORM, NULL, 0);
    if (helper_send(&http_helper, &request, deadline, e) < 0)
        return -1;
    is_waiting = true;
    return 0;
}

int callback_wait(const struct secret *state, bool form, int other, int64_t deadline, struct callback *out,
                  struct err *e)
{
    if (begin_wait(state, form, deadline, e) < 0)
        return -1;
    if (other < 0)
        (void)tty_wait_readable(http_helper.from, "the browser", deadline);
    struct pollfd p[] = {{.fd = http_helper.from, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    while (poll(p, ARRAY_LEN(p), clock_left(clock_later(deadline, HTTP_GRACE_MS))) < 0)
        continue;
    return !p[0].revents && p[1].revents ? 2 : take_wait(deadline, out, e);
}

int callback_paste(const struct secret *text, int64_t deadline, struct callback *out, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);

    request.kind = CALLBACK_VERB_PASTE;
    record_put_secret(&request, CALLBACK_TAG_TEXT, text);
    http_helper.waiting_for = NULL;
    if (helper_send(&http_helper, &request, deadline, e) < 0 ||
        (is_waiting && take_wait(deadline, out, e) < 0) ||
        helper_receive(&http_helper, &answer, clock_later(deadline, HTTP_GRACE_MS), e) < 0)
        return -1;
    return take(&answer, out);
}

void callback_finish(bool is_good, int64_t deadline)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);
    struct err ignored = ERR_INIT;
    struct callback nothing = {0};

    request.kind = CALLBACK_VERB_FINISH;
    if (is_good)
        record_put(&request, CALLBACK_TAG_GOOD, NULL, 0);
    http_helper.waiting_for = NULL;
    if (http_helper.pid <= 0 || helper_send(&http_helper, &request, deadline, &ignored) < 0)
        return;
    if (is_waiting)
        (void)take_wait(deadline, &nothing, &ignored);
    callback_release(&nothing);
    (void)helper_receive(&http_helper, &answer, deadline, &ignored);
}
