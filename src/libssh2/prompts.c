/* SPDX-License-Identifier: MIT */
/*
 * The methods `password` and `keyboard-interactive`. A single prompt for a password, without echo, asks for
 * the tunnel's password with either method; it may be in the store. Any other prompt, for example a second
 * one or one for a new password, must be answered by the user, and makes a second login impossible.
 */
#include "login.h"

#include <string.h>
#include <strings.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <tunnel/tell.h>

#define PROMPT_MAX 2048
#define ROUNDS_MOST 32 /* rounds of prompts in a login: many more than a real server needs */

struct secret *login_ask(struct ssh_session *s, enum keeper_question kind, const char *text, bool again)
{
    struct secret *answer = NULL;
    struct err e = ERR_INIT;

    if (kind != KEEPER_ASK_PASSWORD) /* a password may be in the store */
        tell_now();
    if (s->settings->target->ask(kind, text, again, &s->deadline, &answer, &e) == 0)
        return answer;
    if (!s->login->mute.code)
        err_copy(&s->login->mute, &e);
    return NULL;
}

static bool is_for_password(const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompt, const struct buf *text, int count)
{
    static const char *const others[] = {"one-time", "otp", "new "};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcasestr(buf_str(text), others[i]))
            return false;
    }
    return count == 1 && !prompt->echo && strcasestr(buf_str(text), "password");
}

static struct secret *password_for(struct ssh_session *s, const char *question)
{
    const struct credentials *c = s->credentials;
    struct ssh_login *l = s->login;
    bool again = l->passwords++ > 0;

    if (c->proven)
        return c->password ? secret_from(secret_bytes(c->password), secret_len(c->password)) : NULL;
    return login_ask(s, KEEPER_ASK_PASSWORD, question, again);
}

static struct secret *answer_one(struct ssh_session *s, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompt,
                                 int count)
{
    struct ssh_login *l = s->login;
    AUTO_BUF(clean, PROMPT_MAX);
    AUTO_BUF(question, PROMPT_MAX + 512);

    text_sanitise(&clean, (const char *)prompt->text,
                  prompt->length < PROMPT_MAX / 4 ? prompt->length : PROMPT_MAX / 4);
    buf_printf(&question, "(%s) %s", ssh_who(s->settings), buf_str(&clean));
    if (!l->password && is_for_password(prompt, &clean, count)) {
        l->password = password_for(s, buf_str(&question));
        return l->password ? secret_from(secret_bytes(l->password), secret_len(l->password)) : NULL;
    }
    l->person = true;
    return login_ask(s, prompt->echo ? KEEPER_ASK_LINE : KEEPER_ASK_SECRET, buf_str(&question), false);
}

/* Each line names its source, so that it cannot be mistaken for one of broker's. */
static void say(const struct ssh_session *s, const char *text, int n)
{
    AUTO_BUF(clean, PROMPT_MAX);
    AUTO_WORDS(lines);

    if (!text || n <= 0 || s->settings->target->ready)
        return;
    text_sanitise(&clean, text, n < PROMPT_MAX / 4 ? (size_t)n : PROMPT_MAX / 4);
    words_split(&lines, buf_str(&clean), '\n');
    for (size_t i = 0; i < lines.count; i++)
        log_say("(%s) %s", ssh_who(s->settings), lines.word[i]);
}

static void answer_prompts(const char *name, int name_length, const char *instruction, int instruction_length,
                           int count, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
                           LIBSSH2_USERAUTH_KBDINT_RESPONSE *answers, void **abstract)
{
    struct ssh_session *s = *abstract;

    if (++s->login->rounds > ROUNDS_MOST) {
        (void)err_set(&s->login->mute, ERR_REFUSED, "%s: it asks too many questions", ssh_who(s->settings));
        s->login->closed = true;
        return;
    }
    say(s, name, name_length);
    say(s, instruction, instruction_length);
    for (int i = 0; i < count && !s->login->closed; i++) {
        AUTO_SECRET(answer);
        answer = answer_one(s, &prompts[i], count);
        s->login->closed = !answer;
        char *copy = answer ? bounds_alloc(secret_len(answer) + 1, abstract) : NULL;
        if (!copy)
            return;
        memcpy(copy, secret_bytes(answer), secret_len(answer) + 1);
        answers[i].text = copy;
        answers[i].length = (unsigned)secret_len(answer);
    }
}

static void used(struct ssh_session *s, int result)
{
    struct ssh_login *l = s->login;

    if (result == 0 || (s->refused && s->partial)) {
        if (l->password) {
            secret_free(l->good_password);
            l->good_password = l->password;
            l->password = NULL;
        }
    }
    secret_free(l->password);
    l->password = NULL;
}

int prompts_step(struct ssh_session *s)
{
    const char *user = s->settings->user;
    int result =
        libssh2_userauth_keyboard_interactive_ex(s->ssh, user, (unsigned)strlen(user), answer_prompts);

    if (s->login->closed) {
        /* An empty answer would count as an attempt, so it is not sent. */
        s->out.start = s->out.end;
        return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
    }
    if (result == LIBSSH2_ERROR_EAGAIN)
        return result;
    s->login->prompts++;
    used(s, result);
    return result;
}

int password_step(struct ssh_session *s)
{
    struct ssh_login *l = s->login;
    const char *user = s->settings->user;
    AUTO_BUF(question, 1024);

    buf_printf(&question, "%s's password: ", ssh_who(s->settings));
    if (!l->password)
        l->password = password_for(s, buf_str(&question));
    if (!l->password) {
        l->closed = true;
        return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
    }
    int result = libssh2_userauth_password_ex(s->ssh, user, (unsigned)strlen(user), secret_bytes(l->password),
                                              (unsigned)secret_len(l->password), NULL);
    if (result != LIBSSH2_ERROR_EAGAIN)
        used(s, result);
    return result;
}
