/* SPDX-License-Identifier: MIT */
/*
 * `aws login`: the AWS CLI gets keys through the user's console session and keeps them in ~/.aws/login/cache
 * together with a refresh token. The keys are used until 5 minutes before they expire and are then renewed
 * here. A refresh token can be used only once, so they are renewed under a lock, after reading the file
 * again, and the whole file is written back. Only the CLI can do the login itself.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html
 */
#include <aws/source.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/http.h>
#include <model/identity.h>

#include "cache_file.h"
#include "call.h"
#include "chain_profile.h"

#define REFRESH_SECONDS (5 * 60)
#define BODY_MOST (2 * SECRET_MAX)
#define PATH "/v1/token"

struct login_session {
    const struct aws_context *context;
    const struct aws_step *step;
    int64_t deadline;
    char *path;
    json_t *root;      /* the content of the file; NULL: there is none */
    time_t expires_at; /* when the keys expire; 0: the file has no complete keys */
};

static void login_session_release(struct login_session *s)
{
    mem_free_cleanup(&s->path);
    json_free_cleanup(&s->root);
}

/* --- the cache file */

static int find_path(struct login_session *s, struct err *e)
{
    const char *folder = s->context->env.login_cache_directory, *arn = s->step->login_session;
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, expanded);

    arn += strspn(arn, " \t\r\n\v\f");
    size_t n = strlen(arn);
    while (n && strchr(" \t\r\n\v\f", arn[n - 1]))
        n--;
    (void)crypto_hash_sha256(digest, (const unsigned char *)arn, n);
    (void)sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    name = mem_printf("%s.json", hex);
    if (!folder)
        return cache_file_path(".aws/login/cache", name, &s->path, e);
    expanded = path_expand(folder);
    s->path = mem_printf("%s/%s", expanded, name);
    return 0;
}

/* Sets expires_at if the file contains complete keys, otherwise to 0. */
static void look_at_keys(struct login_session *s)
{
    const json_t *keys = json_object_get(s->root, "accessToken");
    const char *id = cache_file_text(keys, "accessKeyId");
    AUTO_SECRET(secret);
    AUTO_SECRET(token);
    secret = cache_file_secret(keys, "secretAccessKey");
    token = cache_file_secret(keys, "sessionToken");
    if (!id || strlen(id) > 1024 || !secret || !token || !cache_file_time(keys, "expiresAt", &s->expires_at))
        s->expires_at = 0;
}

static void read_file(struct login_session *s)
{
    json_free_cleanup(&s->root);
    s->root = cache_file_read(s->path);
    look_at_keys(s);
}

static bool is_alive(const struct login_session *s)
{
    return s->expires_at > time(NULL);
}

static bool is_good(const struct login_session *s)
{
    return s->expires_at - time(NULL) > REFRESH_SECONDS;
}

static int take(const struct login_session *s, struct aws_keys *out)
{
    const json_t *keys = json_object_get(s->root, "accessToken");

    out->id = mem_strdup(cache_file_text(keys, "accessKeyId"));
    out->secret = cache_file_secret(keys, "secretAccessKey");
    out->token = cache_file_secret(keys, "sessionToken");
    out->account = mem_strdup(cache_file_text(keys, "accountId"));
    out->expires_at = s->expires_at;
    return 0;
}

static int log_in_again(const struct login_session *s, const char *why, struct err *e)
{
    (void)err_set(e, ERR_LOGIN, "AWS profile '%s': %s", s->step->profile, why);
    return err_hint_sh(e, "aws login --profile %s", s->step->profile);
}

/* --- DPoP: proof of possession of a key (RFC 9449) */

static void add_base64(struct buf *out, const void *bytes, size_t n)
{
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *room = buf_room(out, size);

    if (!room)
        return;
    (void)sodium_bin2base64(room, size, bytes, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_grew(out, size - 1);
}

static void add_uuid(struct buf *out)
{
    unsigned char id[16];

    randombytes_buf(id, sizeof id);
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof id; i++)
        buf_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
}

/* Makes a DPoP token. The signed text contains the public key, so the helper is called twice: to get the
 * public key, and to sign. */
static int make_proof(const struct login_session *s, const char *url, struct secret **out, struct err *e)
{
    AUTO_SECRET(pem);
    AUTO_BUF(header, 1024);
    AUTO_BUF(payload, 2048);
    AUTO_BUF(token, 8192);
    unsigned char signature[64], point[64];

    pem = cache_file_secret(s->root, "dpopKey");
    if (http_sign_es256(pem, "", signature, point, s->deadline, e) < 0)
        return -1;
    buf_puts(&header, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"x\":\"");
    add_base64(&header, point, 32);
    buf_puts(&header, "\",\"y\":\"");
    add_base64(&header, point + 32, 32);
    buf_puts(&header, "\",\"crv\":\"P-256\"}}");
    buf_puts(&payload, "{\"jti\":\"");
    add_uuid(&payload);
    buf_printf(&payload, "\",\"htm\":\"POST\",\"htu\":\"%s\",\"iat\":%lld}", url, (long long)time(NULL));
    add_base64(&token, buf_str(&header), header.len);
    buf_putc(&token, '.');
    add_base64(&token, buf_str(&payload), payload.len);
    if (http_sign_es256(pem, buf_str(&token), signature, point, s->deadline, e) < 0)
        return -1;
    buf_putc(&token, '.');
    add_base64(&token, signature, sizeof signature);
    *out = secret_from(buf_str(&token), token.len);
    return 0;
}

/* --- renewing the keys */

static const struct aws_want wanted[] = {
    {HTTP_JSON, "accessToken.accessKeyId"},
    {HTTP_JSON, "accessToken.secretAccessKey"},
    {HTTP_JSON, "accessToken.sessionToken"},
    {HTTP_JSON, "expiresIn"},
    {HTTP_JSON, "refreshToken"},
    {HTTP_JSON, "idToken"},
    {HTTP_JSON, "accessToken.accountId"},
    {HTTP_JSON, "error"},
};
enum { ID, SECRET, TOKEN, EXPIRES_IN, REFRESH_TOKEN, ID_TOKEN, ACCOUNT, ERROR };

/* Stores the answer in the file's JSON object. Fields that the answer does not have are left unchanged. */
static int take_answer(struct login_session *s, const struct http_answer *a, struct err *e)
{
    unsigned long seconds;
    json_t *keys = json_object_get(s->root, "accessToken");

    if (!*http_text(a, ID) || !*http_text(a, SECRET) || !*http_text(a, TOKEN) ||
        !text_number(http_text(a, EXPIRES_IN), 1UL << 31, &seconds) || seconds == 0)
        return err_set(e, ERR_PROTOCOL, "AWS sign-in: the answer has no keys");
    cache_file_put(keys, "accessKeyId", http_text(a, ID));
    cache_file_put(keys, "secretAccessKey", http_text(a, SECRET));
    cache_file_put(keys, "sessionToken", http_text(a, TOKEN));
    cache_file_put_time(keys, "expiresAt", time(NULL) + (time_t)seconds);
    if (*http_text(a, ACCOUNT))
        cache_file_put(keys, "accountId", http_text(a, ACCOUNT));
    if (*http_text(a, REFRESH_TOKEN))
        cache_file_put(s->root, "refreshToken", http_text(a, REFRESH_TOKEN));
    if (*http_text(a, ID_TOKEN))
        cache_file_put(s->root, "idToken", http_text(a, ID_TOKEN));
    look_at_keys(s);
    return is_alive(s) ? 0 : err_set(e, ERR_PROTOCOL, "AWS sign-in: the answer has no keys");
}

static int explain(const struct login_session *s, const char *code, struct err *e)
{
    if (text_equal(code, "TOKEN_EXPIRED"))
        return log_in_again(s, "the aws login session has expired", e);
    if (text_equal(code, "USER_CREDENTIALS_CHANGED"))
        return log_in_again(s, "the user's password or keys have changed since aws login", e);
    if (text_equal(code, "INSUFFICIENT_PERMISSIONS"))
        return err_hint(e, "ask your administrator to allow signin:CreateOAuth2Token");
    return err_prefix(e, "AWS profile '%s'", s->step->profile);
}

static int ask(struct login_session *s, struct err *e)
{
    const struct aws_context *c = s->context;
    struct aws_endpoint endpoint;
    struct aws_refusal why = {0};
    const char *region;
    AUTO_SECRET(proof);
    AUTO_FREE(char *, url);
    AUTO_BUF(body, BODY_MOST);
    AUTO_HTTP_ANSWER(answer);
    AUTO_JSON(fields);

    if (aws_region_for(&c->regions, s->step->login_session, &region, e) < 0 ||
        aws_endpoint_find(&c->env, &c->files, c->chain.profile, AWS_SIGNIN, region, &endpoint, e) < 0)
        return -1;
    url = mem_printf("%s" PATH, endpoint.url);
    if (make_proof(s, url, &proof, e) < 0)
        return err_prefix(e, "AWS profile '%s': the key of aws login", s->step->profile);
    fields = json_pack("{s:O,s:O,s:s}", "clientId", json_object_get(s->root, "clientId"), "refreshToken",
                       json_object_get(s->root, "refreshToken"), "grantType", "refresh_token");
    json_put(&body, fields);
    if (!buf_ok(&body))
        return err_set(e, ERR_DATA, "AWS sign-in: the file has over %d bytes", BODY_MOST);
    const struct aws_call call = {.context = c,
                                  .name = "AWS sign-in",
                                  .endpoint = &endpoint,
                                  .method = "POST",
                                  .path = PATH,
                                  .content_type = "application/json",
                                  .body = &body,
                                  .header = "DPoP",
                                  .header_value = proof,
                                  .want = wanted,
                                  .want_count = ARRAY_LEN(wanted)};
    if (aws_call_run(&call, s->deadline, &answer, &why, e) < 0)
        return explain(s, http_text(&answer, ERROR), e);
    return take_answer(s, &answer, e);
}

/* Returns the reason why the user must log in, or NULL if the keys can be renewed. As in the AWS CLI, a file
 * without keys is not used. */
static const char *missing_field(const struct login_session *s)
{
    if (!s->root)
        return "not logged in by aws login";
    if (s->expires_at == 0)
        return "the accessToken of its aws login session is incomplete";
    return cache_file_text(s->root, "refreshToken") && cache_file_text(s->root, "clientId") &&
                   cache_file_text(s->root, "dpopKey")
               ? NULL
               : "its aws login session has expired";
}

static int renew(struct login_session *s, struct err *e)
{
    struct err unwritten = ERR_INIT;

    const char *missing = missing_field(s);
    if (missing)
        return log_in_again(s, missing, e);
    if (ask(s, e) < 0)
        return -1;
    log_step("login", "renewed the keys of aws login");
    if (cache_file_write(s->path, s->root, &unwritten) < 0)
        log_warn("check the permissions of ~/.aws/login/cache", "cannot save the new session: %s: %s",
                 unwritten.what, unwritten.msg);
    return 0;
}

static int login_session_get(const struct aws_context *c, const struct aws_step *step,
                             const struct aws_keys *before, int64_t deadline, struct aws_keys *out,
                             struct err *e)
{
    __attribute__((cleanup(login_session_release))) struct login_session s = {c,    step, deadline,
                                                                              NULL, NULL, 0};
    AUTO_LOCK(lock);

    (void)before;
    if (find_path(&s, e) < 0)
        return -1;
    read_file(&s);
    if (is_good(&s))
        return take(&s, out);
    if (!s.root)
        return log_in_again(&s, "not logged in by aws login", e);
    if (cache_file_lock(s.path, deadline, &lock, e) == 0) {
        read_file(&s);
        if (is_good(&s))
            return take(&s, out);
        if (renew(&s, e) < 0) {
            log_step("login", "cannot renew them: %s", e->msg);
            read_file(&s); /* a failed renewal may have changed the object in memory */
            if (!is_alive(&s))
                return -1;
        }
    } else if (!is_alive(&s)) {
        return -1;
    }
    err_clear(e);
    return take(&s, out);
}

/* The private key identifies the login: each login creates a new one, whereas renewing changes everything
 * else in the file. */
static int login_session_proof(const struct aws_context *c, const struct aws_step *step, char **place,
                               int64_t deadline, struct buf *out)
{
    __attribute__((cleanup(login_session_release))) struct login_session s = {c,    step, deadline,
                                                                              NULL, NULL, 0};
    struct err ignored = ERR_INIT;

    (void)place;
    if (find_path(&s, &ignored) < 0)
        return 1;
    read_file(&s);
    const char *key = cache_file_text(s.root, "dpopKey");
    identity_add_field(out, key);
    return key ? 0 : 1;
}

const struct aws_source aws_source_login_session = {.get = login_session_get, .proof = login_session_proof};
