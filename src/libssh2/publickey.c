/* SPDX-License-Identifier: MIT */
/*
 * Offers keys. The server is first asked whether it would accept a key, which it does not count as an
 * attempt; only then is the passphrase asked for, and only then is it known whether this engine supports the
 * key.
 */
#include "login.h"
#include "methods.h"

#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

static struct ssh_key *candidate(const struct ssh_login *l)
{
    return l->session->credentials->keys.key[l->next];
}

bool publickey_left(const struct ssh_login *l)
{
    return l->next < l->session->credentials->keys.count;
}

static void next_key(struct ssh_login *l)
{
    agent_forget(l->agent);
    l->agent = NULL;
    l->agent_failed = l->accepted = false;
    l->phrases = 0;
    buf_clear(&l->signature);
    buf_clear(&l->line);
    l->next++;
}

static void agent_signed(void *context, const unsigned char *answer, size_t n)
{
    struct ssh_session *s = context;
    const unsigned char *signature;
    size_t length;

    s->login->agent = NULL;
    if (answer && agent_parse_signature(answer, n, &signature, &length))
        buf_add(&s->login->signature, signature, length);
    s->login->agent_failed = !s->login->signature.len;
    s->resume(s);
}

static int sign_by_agent(struct ssh_session *s, const unsigned char *data, size_t n)
{
    struct ssh_login *l = s->login;
    const struct ssh_key *k = candidate(l);
    AUTO_BUF(question, AGENT_ANSWER_MAX);

    if (l->signature.len)
        return 0;
    if (l->agent)
        return LIBSSH2_ERROR_EAGAIN;
    if (!l->agent_failed && s->settings->identity_agent) {
        agent_put_sign(&question, k->blob.data, k->blob.len, data, n);
        l->agent = agent_ask(s->settings->identity_agent, &question, s->deadline, agent_signed, s);
    }
    return l->agent ? LIBSSH2_ERROR_EAGAIN : -1;
}

/* Called by libssh2 for a signature over `data`, once the server has said that it would accept the key. */
static int sign(LIBSSH2_SESSION *ssh, unsigned char **signature, size_t *length, const unsigned char *data,
                size_t n, void **unused)
{
    struct ssh_session *s = *libssh2_session_abstract(ssh);
    struct ssh_login *l = s->login;
    const struct ssh_key *k = candidate(l);
    struct err e = ERR_INIT;
    int result;

    (void)unused;
    l->accepted = true;
    if (k->lacks || (!k->in_agent && (!ssh_key_is_rsa(k) || (k->encrypted && !k->unlocked))))
        return -1;
    result = k->in_agent ? sign_by_agent(s, data, n) : ssh_key_sign_rsa(k, data, n, &l->signature, &e);
    if (result != 0)
        return result;
    *length = l->signature.len;
    *signature = bounds_alloc(*length, libssh2_session_abstract(ssh));
    if (!*signature)
        return -1;
    memcpy(*signature, l->signature.data, *length);
    return 0;
}

static bool by_libssh2(const struct ssh_key *k)
{
    return !k->in_agent && !k->lacks && !ssh_key_is_rsa(k) && (!k->encrypted || k->unlocked);
}

static int offer(struct ssh_session *s, const struct ssh_key *k)
{
    struct ssh_login *l = s->login;
    const char *user = s->settings->user;
    AUTO_BUF(blob, SSH_BLOB_MAX + 16);

    if (by_libssh2(k)) {
        if (!l->line.len)
            ssh_key_public_line(k, &l->line);
        return libssh2_userauth_publickey_frommemory(
            s->ssh, user, strlen(user), l->line.len ? l->line.data : NULL, l->line.len, secret_bytes(k->text),
            secret_len(k->text), k->phrase ? secret_bytes(k->phrase) : NULL);
    }
    ssh_key_wire_blob(k, &blob);
    return libssh2_userauth_publickey(s->ssh, user, (const unsigned char *)buf_str(&blob), blob.len, sign,
                                      NULL);
}

static bool ask_phrase(struct ssh_session *s, struct ssh_key *k)
{
    struct ssh_login *l = s->login;
    AUTO_BUF(question, 4200);

    buf_printf(&question, "Enter passphrase for key '%s': ", k->name);
    while (l->phrases < s->settings->password_prompts && !s->credentials->proven) {
        struct secret *phrase = login_ask(s, KEEPER_ASK_SECRET, buf_str(&question), l->phrases > 0);
        l->phrases++;
        if (!phrase)
            return false;
        if (secret_len(phrase) == 0) {
            secret_free(phrase);
            return false;
        }
        if (ssh_key_unlock(k, phrase))
            return true;
    }
    if (l->phrases && l->phrases == s->settings->password_prompts)
        words_add(&l->wrong, k->name);
    return false;
}

/* A user who allows ssh-rsa, which is not in any default list, needs it for some server. ssh learns from the
 * server which signatures it accepts; libssh2 does not report that. */
static bool may_need_sha1(const struct ssh_settings *settings)
{
    const char *allowed = settings->pubkey_algorithms;

    return allowed && list_has(allowed, "ssh-rsa") &&
           !text_equal(target_key(settings->target, "ssh_engine"), "libssh2");
}

/* RSA keys work only through the name before the blob, and OpenSSH is the only server known to accept
 * that. */
static const char *lacking(const struct ssh_session *s, const struct ssh_key *k)
{
    const char *banner = libssh2_session_banner_get(s->ssh);

    if (!ssh_key_is_rsa(k))
        return NULL;
    if (!(banner && strstr(banner, "OpenSSH")))
        return "an RSA key for a server that is not OpenSSH";
    return may_need_sha1(s->settings) ? "an RSA key where ssh-rsa is allowed" : NULL;
}

/* libssh2 could not use the file: most likely the passphrase is wrong. */
static bool once_more(struct ssh_session *s, struct ssh_key *k)
{
    bool locked = k->encrypted && !k->unlocked && !k->in_agent;

    if (s->login->accepted && locked)
        return ask_phrase(s, k);
    if (k->encrypted && k->unlocked && k->openssh && !k->in_agent && !s->credentials->proven) {
        ssh_key_lock(k);
        return ask_phrase(s, k);
    }
    return false;
}

/* Returns whether this is libssh2's error for a private key that it could not read; nothing was sent then. */
static bool is_of_key(int result)
{
    static const int codes[] = {LIBSSH2_ERROR_SOCKET_NONE, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_DECRYPT,
                                LIBSSH2_ERROR_BUFFER_TOO_SMALL, LIBSSH2_ERROR_OUT_OF_BOUNDARY};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (result == codes[i])
            return true;
    }
    return false;
}

int publickey_step(struct ssh_session *s)
{
    struct ssh_login *l = s->login;
    struct ssh_key *k = candidate(l);
    uint64_t given = s->given;

    if (!l->lacks)
        l->lacks = lacking(s, k);
    if (l->lacks)
        return LOGIN_AGAIN;
    if (k->encrypted && !k->unlocked && !k->blob.len && !ask_phrase(s, k)) {
        next_key(l);
        return LIBSSH2_ERROR_FILE;
    }
    int result = offer(s, k);
    if (result == LIBSSH2_ERROR_EAGAIN)
        return result;
    if (s->given == given && s->taken == l->heard && is_of_key(result))
        result = LIBSSH2_ERROR_FILE;
    log_trace("route", "key %s: %s", k->name,
              result == 0                ? "logged in"
              : s->refused && s->partial ? "accepted, but another step is needed"
              : s->refused               ? "refused"
              : l->accepted              ? "would be accepted"
                                         : "unusable");
    if (result == 0 || (s->refused && s->partial)) {
        l->good_key = k;
        if (result != 0)
            next_key(l);
        return result;
    }
    if (l->agent_failed)
        log_warn(NULL, "the ssh agent refused to sign with the key %s", k->name);
    if (!s->refused && !io_is_over(s)) {
        if (l->accepted && k->lacks)
            l->lacks = k->lacks;
        if (l->lacks || once_more(s, k))
            return LOGIN_AGAIN;
    }
    next_key(l);
    return result;
}
