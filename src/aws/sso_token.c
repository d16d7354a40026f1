/* SPDX-License-Identifier: MIT */
/*
 * Reads and renews the token file by botocore's rules. A token is refreshed when it expires within 15
 * minutes, if the file has a valid client registration. A failed refresh is ignored as long as the token is
 * valid. The CLI does not lock the file, so it is read again once we hold our lock.
 */
#include "sso_token.h"

#include <string.h>
#include <sys/stat.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <ipc/http.h>

#include "cache_file.h"
#include "sso_login.h"
#include "sso_names.h"

#define REFRESH_SECONDS (15 * 60)

/* The token file, as last read. */
struct token {
    struct sso_client client;
    char *path;
    json_t *root; /* the content of the file; NULL: there is none */
    const struct secret *refused;
    time_t expires_at; /* when the token expires; 0: the file has no token */
    bool is_refused;
};

static void token_release(struct token *t)
{
    mem_free_cleanup(&t->path);
    json_free_cleanup(&t->root);
}

static int token_path(struct token *t, struct err *e)
{
    AUTO_FREE(char *, name);
    char hash[41];

    if (http_sha1(sso_name(t->client.step), hash, t->client.deadline, e) < 0)
        return -1;
    name = mem_printf("%s.json", hash);
    return cache_file_path(".aws/sso/cache", name, &t->path, e);
}

static void token_read(struct token *t)
{
    json_free_cleanup(&t->root);
    t->root = cache_file_read(t->path);
    AUTO_SECRET(access);
    access = cache_file_secret(t->root, "accessToken");
    if (!access || !cache_file_time(t->root, "expiresAt", &t->expires_at))
        t->expires_at = 0;
    t->is_refused = access && t->refused && secret_equal(access, t->refused);
}

static bool is_alive(const struct token *t)
{
    return !t->is_refused && t->expires_at > time(NULL);
}

static bool can_refresh(const struct token *t)
{
    time_t registered_until;

    return t->client.step->session && cache_file_text(t->root, "refreshToken") &&
           cache_file_text(t->root, "clientId") && cache_file_text(t->root, "clientSecret") &&
           cache_file_time(t->root, "registrationExpiresAt", &registered_until) &&
           registered_until > time(NULL);
}

/* Returns whether the token can be used without refreshing it. */
static bool is_good(const struct token *t)
{
    return is_alive(t) && (t->expires_at - time(NULL) >= REFRESH_SECONDS || !can_refresh(t));
}

static int take(const struct token *t, struct secret **out, struct err *e)
{
    *out = cache_file_secret(t->root, "accessToken");
    if (!*out)
        return err_set(e, ERR_PROTOCOL, "AWS SSO: the token has over %d bytes", SECRET_MAX / 2);
    if (t->client.context->login)
        t->client.context->login->expires_at = t->expires_at;
    return 0;
}

/* Saves the new token. The service has invalidated the old refresh token, so if this fails, the user must log
 * in again next time. */
static void token_write(const struct token *t)
{
    struct err e = ERR_INIT;

    if (cache_file_write(t->path, t->root, &e) < 0)
        log_warn("check the permissions of ~/.aws/sso/cache", "cannot save the new SSO token: %s: %s", e.what,
                 e.msg);
}

static int token_refresh(struct token *t, struct err *e)
{
    AUTO_JSON(body);
    char code[64];

    body = json_pack("{s:s,s:O}", "grantType", "refresh_token", "refreshToken",
                     json_object_get(t->root, "refreshToken"));
    if (sso_token_ask(&t->client, body, t->root, code, e) < 0) {
        log_step("login", "SSO token not refreshed: %s", e->msg);
        return -1;
    }
    token_write(t);
    log_step("login", "SSO token refreshed");
    return 0;
}

static int login_needed(const struct token *t, struct err *e)
{
    AUTO_BUF(ago, 64);
    const char *name = sso_name(t->client.step);

    if (t->expires_at == 0)
        return err_set(e, ERR_LOGIN, "not logged in to SSO session '%s'", name);
    if (t->is_refused)
        return err_set(e, ERR_LOGIN, "SSO session '%s' was ended early", name);
    clock_format_duration(&ago, (int64_t)(time(NULL) - t->expires_at) * 1000);
    return err_set(e, ERR_LOGIN, "SSO session '%s' expired %s ago", name, buf_str(&ago));
}

static int log_in(struct token *t, struct err *e)
{
    if (!t->client.context->may_log_in)
        return login_needed(t, e);
    if (!t->root)
        t->root = json_object();
    if (sso_login(&t->client, t->root, e) < 0)
        return -1;
    token_write(t);
    if (t->client.context->login)
        t->client.context->login->is_new = true;
    return 0;
}

/* Gets a new token. The lock is held, so no other broker process does the same at the same time. */
static int token_renew(struct token *t, struct secret **out, struct err *e)
{
    token_read(t);
    if (is_good(t))
        return take(t, out, e);
    bool refreshed = can_refresh(t) && token_refresh(t, e) == 0;
    /* Logging in does not help if the network fails. */
    if (!refreshed && !is_alive(t) && e->code && e->code != ERR_REFUSED)
        return -1;
    if (!refreshed && !is_alive(t) && log_in(t, e) < 0)
        return -1;
    err_clear(e);
    /* Check the new token too, because the service may have returned an expired one. */
    t->is_refused = false;
    if (!cache_file_time(t->root, "expiresAt", &t->expires_at) || !is_alive(t))
        return err_set(e, ERR_PROTOCOL, "AWS SSO: the token has no lifetime");
    return take(t, out, e);
}

int sso_token_get(const struct aws_context *c, const struct aws_step *step, const struct secret *refused,
                  int64_t deadline, struct secret **out, struct err *e)
{
    __attribute__((cleanup(token_release))) struct token t = {.client = {c, step, deadline},
                                                              .refused = refused};
    AUTO_LOCK(lock);

    json_use_wiping_memory();
    if (token_path(&t, e) < 0)
        return -1;
    token_read(&t);
    if (is_good(&t))
        return take(&t, out, e);
    if (!is_alive(&t) && !can_refresh(&t) && !c->may_log_in)
        return login_needed(&t, e);
    if (cache_file_lock(t.path, deadline, &lock, e) < 0) {
        if (!is_alive(&t))
            return -1;
        err_clear(e);
        return take(&t, out, e);
    }
    return token_renew(&t, out, e);
}

/* Returns the time of the last change to the file or to the path itself. Uses ctime, because a file or
 * symbolic link that is moved to this path keeps its modification time. */
static struct timespec last_change(const char *path)
{
    struct stat file, name;

    if (stat(path, &file) < 0 || lstat(path, &name) < 0)
        return (struct timespec){.tv_sec = INT64_MAX};
    bool is_file = file.st_ctim.tv_sec > name.st_ctim.tv_sec || (file.st_ctim.tv_sec == name.st_ctim.tv_sec &&
                                                                 file.st_ctim.tv_nsec > name.st_ctim.tv_nsec);
    return is_file ? file.st_ctim : name.st_ctim;
}

int sso_token_proof(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                    struct buf *out, struct timespec *changed)
{
    __attribute__((cleanup(token_release))) struct token t = {.client = {c, step, deadline}};
    struct err ignored = ERR_INIT;

    if (!*place && token_path(&t, &ignored) == 0)
        *place = mem_strdup(t.path);
    if (!*place)
        return 1;
    if (changed)
        *changed = last_change(*place);
    t.root = cache_file_read(*place);
    const char *token = cache_file_text(t.root, "accessToken");
    if (!token)
        return 1;
    buf_puts(out, token);
    return 0;
}
