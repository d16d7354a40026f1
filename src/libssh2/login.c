/* SPDX-License-Identifier: MIT */
/*
 * Logs in as ssh does: the method `none` asks the server for its methods, which are then tried in the user's
 * order. Later sessions repeat what worked for the first one, which saves a round trip.
 */
#include "login.h"
#include "methods.h"

#include <stdlib.h>
#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <tunnel/tell.h>

#define ORDER "publickey,keyboard-interactive,password"

static int begin(struct ssh_session *s)
{
    s->login->state = LOGIN_CHOOSE;
    return s->credentials->gathered ? LOGIN_AGAIN : candidates_gather(s);
}

static int agent_awaited(struct ssh_session *s)
{
    (void)s;
    return LIBSSH2_ERROR_EAGAIN;
}

static bool keys_allowed(const struct ssh_session *s)
{
    return s->settings->publickey && publickey_left(s->login);
}

static bool prompts_allowed(const struct ssh_session *s)
{
    const struct ssh_login *l = s->login;

    return s->settings->keyboard_interactive && !l->closed && l->prompts < s->settings->password_prompts &&
           !(s->credentials->proven && l->prompts);
}

static bool password_allowed(const struct ssh_session *s)
{
    const struct ssh_login *l = s->login;

    return s->settings->password && !l->closed && l->passwords < s->settings->password_prompts &&
           !(s->credentials->proven && l->passwords);
}

static const struct way {
    const char *name;
    enum login_state state;
    bool (*allowed)(const struct ssh_session *s);
} login_methods[] = {
    {"publickey", LOGIN_KEY, keys_allowed},
    {"keyboard-interactive", LOGIN_PROMPTS, prompts_allowed},
    {"password", LOGIN_PASSWORD, password_allowed},
};

/* Returns the next method, in the user's order, that is supported here and by the server; LOGIN_CHOOSE if
 * none is left. */
static enum login_state next_method(const struct ssh_session *s)
{
    const char *order = s->settings->preferred_authentications;
    AUTO_WORDS(names);

    words_split(&names, order ? order : ORDER, ',');
    for (size_t n = 0; n < names.count; n++) {
        for (size_t i = 0; i < ARRAY_LEN(login_methods); i++) {
            if (text_equal(login_methods[i].name, names.word[n]) &&
                (!s->login->informed || list_has(s->methods, login_methods[i].name)) &&
                login_methods[i].allowed(s))
                return login_methods[i].state;
        }
    }
    return LOGIN_CHOOSE;
}

/* --- text from the server for the user --- */

static struct ssh_session *talking; /* the session that is logging in */

static void gather(struct buf *out)
{
    if (ssh_is_quiet(talking->settings))
        return;
    peek_banner(talking);
    buf_add(out, talking->banner.data, talking->banner.len);
}

void login_trouble(struct ssh_session *s)
{
    talking = s;
    tell_begin(ssh_who(s->settings), s->settings->target, gather);
}

static void add_banner(struct ssh_session *s, struct err *e)
{
    peek_banner(s);
    (void)err_detail_lines(e, buf_str(&s->banner));
}

int login_late(struct ssh_session *s, struct err *e)
{
    (void)ssh_not_let_in(s->settings, e);
    add_banner(s, e);
    return -1;
}

/* --- end of the login --- */

static int denied(struct ssh_session *s, struct err *e)
{
    const struct ssh_keys *keys = &s->credentials->keys;
    const struct ssh_login *l = s->login;

    if (l->mute.code) {
        err_copy(e, &l->mute);
        return -1;
    }
    (void)err_set(e, ERR_REFUSED, "%s: Permission denied (%s)", ssh_who(s->settings),
                  *s->methods ? s->methods : "no authentication method left");
    for (size_t i = 0; i < l->wrong.count; i++)
        ssh_add_wrong(l->wrong.word[i], strlen(l->wrong.word[i]), s->settings->password_prompts, e);
    for (size_t i = 0; i < keys->count; i++)
        ssh_key_add_stray(keys->key[i], e);
    add_banner(s, e);
    return ssh_hint_login(s->settings, e);
}

/* Returns whether nothing was tried yet and only the system's ssh supports one of the server's methods
 * (GSSAPI). */
static bool only_elsewhere(const struct ssh_session *s)
{
    const struct ssh_login *l = s->login;

    for (size_t i = 0; i < ARRAY_LEN(login_methods); i++) {
        if (list_has(s->methods, login_methods[i].name))
            return false;
    }
    return l->informed && !l->good_key && !l->good_password && s->settings->gssapi &&
           (list_has(s->methods, "gssapi-with-mic") || list_has(s->methods, "gssapi-keyex"));
}

/* The first session asks for the methods, as ssh always does: some servers require no login, and some show
 * only then what the user must do. */
static int choose(struct ssh_session *s)
{
    struct ssh_login *l = s->login;
    enum login_state next = next_method(s);

    if (!l->informed && (next != LOGIN_KEY || !s->credentials->proven))
        next = LOGIN_NONE;
    else if (only_elsewhere(s))
        l->lacks = "GSSAPI, the only authentication method here";
    l->state = next;
    return LOGIN_AGAIN;
}

static int none_step(struct ssh_session *s)
{
    char *list = libssh2_userauth_list(s->ssh, s->settings->user, (unsigned)strlen(s->settings->user));

    if (!list)
        return libssh2_userauth_authenticated(s->ssh) ? 0 : libssh2_session_last_errno(s->ssh);
    peek_line(s->methods, sizeof s->methods, list, strlen(list));
    s->refused = true;
    return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
}

/* Keeps what has worked for the next sessions, and drops the rest. */
static void prove(struct ssh_session *s)
{
    struct credentials *c = s->credentials;
    struct ssh_login *l = s->login;

    if (c->proven)
        return;
    for (size_t i = c->keys.count; i-- > 0;) {
        if (c->keys.key[i] != l->good_key)
            ssh_keys_remove(&c->keys, i);
    }
    *c = (struct credentials){
        .keys = c->keys, .gathered = true, .proven = true, .key = l->good_key, .password = l->good_password};
    c->person = l->person;
    c->costly = c->key && c->key->openssh && c->key->encrypted && !c->key->in_agent;
    l->good_password = NULL;
}

void login_free(struct ssh_login *l)
{
    if (!l)
        return;
    agent_forget(l->agent);
    ssh_keys_release(&l->from_agent);
    words_release(&l->wrong);
    buf_release(&l->signature);
    buf_release(&l->line);
    secret_free(l->password);
    secret_free(l->good_password);
    free(l);
}

/* Sets the error of a session that has ended, or must end, during the login. Returns -1. */
static int failed(struct ssh_session *s, struct err *e)
{
    char *text = NULL;

    if (!s->abuse && *s->disconnected) {
        (void)err_set(e, ERR_REFUSED, "%s: %s", ssh_who(s->settings), s->disconnected);
        add_banner(s, e);
        return ssh_hint_login(s->settings, e);
    }
    (void)libssh2_session_last_error(s->ssh, &text, NULL, 0);
    const char *why = s->abuse ? s->abuse : s->gone || s->parted || !text ? "" : text;
    (void)err_set(e, ERR_UNREACHABLE, "%s: connection lost during the login%s%.100s", ssh_who(s->settings),
                  *why ? ": " : "", why);
    add_banner(s, e);
    return err_hint(e, "try %s", ssh_try(s->settings));
}

static int (*const steps[])(struct ssh_session *s) = {
    [LOGIN_BEGIN] = begin,
    [LOGIN_AGENT] = agent_awaited,
    [LOGIN_CHOOSE] = choose,
    [LOGIN_NONE] = none_step,
    [LOGIN_KEY] = publickey_step,
    [LOGIN_PROMPTS] = prompts_step,
    [LOGIN_PASSWORD] = password_step,
};

static struct ssh_login *login_of(struct ssh_session *s)
{
    if (!s->login) {
        s->login = mem_alloc(1, sizeof *s->login);
        s->login->session = s;
        s->login->signature = (struct buf)BUF_INIT(SSH_BLOB_MAX);
        s->login->line = (struct buf)BUF_INIT(2 * SSH_BLOB_MAX);
        s->login->heard = s->taken;
    }
    return s->login;
}

/*
 * Returns whether a step's result ends the session. Some errors of libssh2 can mean a refusal or a lost
 * connection, but a server cannot have refused without sending anything since the attempt began.
 */
static bool is_over(const struct ssh_session *s, int result)
{
    enum fate fate = libssh2_fate(result);

    if (s->refused || result == LOGIN_AGAIN || s->login->closed)
        return s->abuse;
    if (fate == FATE_AGAIN)
        return io_is_over(s);
    return fate != FATE_REFUSED || s->abuse || s->parted ||
           (result != LIBSSH2_ERROR_FILE && s->taken == s->login->heard);
}

/* After an attempt: drops a refused method and chooses the next one. */
static void next_try(struct ssh_session *s, enum login_state before, int result)
{
    struct ssh_login *l = s->login;

    l->informed |= s->refused;
    if (before != LOGIN_CHOOSE && before != LOGIN_BEGIN && result != LOGIN_AGAIN)
        l->state = LOGIN_CHOOSE;
    l->heard = s->taken;
    s->refused = false;
}

int login_step(struct ssh_session *s, const char **cannot, struct err *e)
{
    struct ssh_login *l = login_of(s);

    for (;;) {
        enum login_state before = l->state;
        int result = steps[before](s);
        if (libssh2_userauth_authenticated(s->ssh)) {
            prove(s);
            return 1;
        }
        if (is_over(s, result))
            return failed(s, e);
        if (result == LIBSSH2_ERROR_EAGAIN)
            return 0;
        *cannot = l->lacks;
        if (l->lacks)
            return -1;
        if ((before == LOGIN_CHOOSE && l->state == LOGIN_CHOOSE) || (before == LOGIN_PROMPTS && l->closed))
            return denied(s, e);
        next_try(s, before, result);
    }
}
