/* SPDX-License-Identifier: MIT */
/*
 * Answers a keeper's questions. If a stored password was refused it is not sent again, because servers count
 * attempts; the user is asked once. Typed answers are not stored; `broker password set --tunnel` does that.
 */
#include "route_answer.h"

#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>
#include <ipc/keeper.h>
#include <model/identity.h>
#include <store/store.h>

#define SEND_MS 10000
#define STORE_MS 30000

/* Returns 1 if a password was found, 0 if there is none or it was refused already, -1 if the keychain failed.
 */
static int stored_password(struct route_answers *given, struct secret **out, struct err *e)
{
    const struct profile *p = given->profile;
    AUTO_FREE(char *, identity);

    if (p->ssh_password && !given->gave_url) {
        given->gave_url = true;
        *out = secret_from(secret_bytes(p->ssh_password), secret_len(p->ssh_password));
        return 1;
    }
    identity = given->gave_stored ? NULL : identity_tunnel(p);
    given->gave_stored = true;
    if (!identity)
        return 0;
    enum store_result found = store_keychain.get(identity, clock_deadline(STORE_MS, CLOCK_NEVER), out, e);
    if (found == STORE_UNAVAILABLE)
        log_step("keychain", "%s", e->msg);
    if (found == STORE_FAILED)
        return -1;
    err_clear(e);
    if (found != STORE_OK || !p->ssh_password || !secret_equal(*out, p->ssh_password))
        return found == STORE_OK;
    secret_free(*out);
    *out = NULL;
    return 0;
}

static void hint_at_password(const struct profile *p, struct err *e)
{
    if (p->tunnel_name)
        (void)err_hint_sh(e, "broker password set --tunnel %s", p->tunnel_name);
    else
        (void)err_hint(e, "%s", tty_way_out());
}

/* Turns the keeper's question into the error of a run that cannot ask. Its first line is the reason, the next
 * lines are details; the last line, the question itself, is left out. */
static int cannot_ask(const struct profile *p, enum keeper_question kind, const char *text, struct err *e)
{
    size_t first = strcspn(text, "\n"), n = first;
    const char *rest = text + first + (text[first] == '\n');
    const char *last = strrchr(rest, '\n');
    AUTO_FREE(char *, details);

    while (n && strchr(" :?.", text[n - 1]))
        n--;
    (void)err_set(e, ERR_LOGIN, "%s: %.*s",
                  tty_input_forbidden() && tty_present() ? tty_why_not() : "cannot ask without a terminal",
                  (int)n, text);
    details = mem_strndup(rest, last ? (size_t)(last - rest) : 0);
    (void)err_detail_lines(e, details);
    if (kind == KEEPER_ASK_YES && p->name)
        return err_hint_sh(e, "broker connect %s, on a terminal", p->name);
    return err_hint(e, "%s", tty_way_out());
}

static int ask_user(struct route_answers *given, enum keeper_question kind, const char *text,
                    struct secret **out, struct err *e)
{
    const struct profile *p = given->profile;
    bool echo = kind == KEEPER_ASK_LINE || kind == KEEPER_ASK_YES;
    char *line = NULL;

    if (!tty_can_ask())
        return cannot_ask(p, kind, text, e);
    given->by_user = true;
    if (!echo || !tty_present())
        return tty_ask_secret(text, out, e);
    if (tty_ask_line(text, &line, e) < 0)
        return -1;
    *out = secret_from(line, strlen(line));
    mem_wipe_free(line);
    return 0;
}

static int tunnel_password(struct route_answers *given, const char *text, bool again, struct secret **out,
                           struct err *e)
{
    const struct profile *p = given->profile;

    /* This is a new question, such as a second step of the login, and does not repeat a refused one. */
    if (!again)
        *given = (struct route_answers){.profile = p};
    int found = given->gave_typed ? 0 : stored_password(given, out, e);
    AUTO_FREE(char *, label);

    if (found != 0)
        return found > 0 ? 0 : -1;
    if (!given->gave_typed && tty_can_ask()) {
        given->gave_typed = true;
        return ask_user(given, KEEPER_ASK_PASSWORD, text, out, e);
    }
    label = identity_tunnel_label(p);
    if (again)
        (void)err_set(e, ERR_REFUSED, "the password of %s was refused", label ? label : "the tunnel");
    else
        (void)err_set(e, ERR_LOGIN, "no stored password for %s", label ? label : "the tunnel");
    hint_at_password(p, e);
    return -1;
}

void route_answer(int channel, const struct record *question, struct route_answers *given)
{
    enum keeper_question kind =
        (enum keeper_question)record_u64(question, KEEPER_TAG_KIND, KEEPER_ASK_SECRET);
    AUTO_RECORD(answer);
    AUTO_FREE(char *, text);
    AUTO_SECRET(value);
    struct err why = ERR_INIT, ignored = ERR_INIT;
    struct field again;

    text = record_str(question, KEEPER_TAG_TEXT);
    given->by_user = false;
    tty_questions_end(clock_deadline(profile_ms(given->profile, KEY_login_timeout), CLOCK_NEVER), channel);
    int result = kind == KEEPER_ASK_PASSWORD
                     ? tunnel_password(given, text ? text : "",
                                       record_find(question, KEEPER_TAG_AGAIN, &again), &value, &why)
                     : ask_user(given, kind, text ? text : "", &value, &why);
    tty_questions_end(CLOCK_NEVER, -1);
    answer.kind = KEEPER_ANSWER;
    if (given->by_user)
        record_put(&answer, KEEPER_TAG_PERSON, "", 0);
    if (result < 0)
        record_put_error(&answer, &why);
    else
        record_put_secret(&answer, KEEPER_TAG_SECRET, value);
    (void)record_write(channel, &answer, clock_deadline(SEND_MS, CLOCK_NEVER), &ignored);
}
