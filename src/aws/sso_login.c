/* SPDX-License-Identifier: MIT */
/*
 * The device flow: registers a client (cached where the CLI caches it), gets a code, shows it to the user,
 * whose browser may be on another machine, and polls for the token. The service sets the polling interval.
 * The newer flow of `aws sso login`, which needs a listening socket, is not used.
 */
#include "sso_login.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <base/browser.h>
#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>
#include <ipc/http.h>

#include "cache_file.h"
#include "call.h"
#include "sso_names.h"

#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"
#define BODY_MOST (4 * SECRET_MAX)
/* RFC 8628, section 3.5: the default polling interval, and the seconds to add for `slow_down`. */
#define INTERVAL_SECONDS 5
#define SLOWER_SECONDS 5
#define INTERVAL_MOST 60

/* Calls the SSO-OIDC API with an unsigned JSON request. */
static int ask(const struct sso_client *client, const char *path, const json_t *body,
               const struct aws_want *want, size_t wants, struct http_answer *answer, struct err *e)
{
    struct aws_endpoint endpoint;
    struct aws_refusal why;
    AUTO_BUF(text, BODY_MOST);
    const struct aws_context *c = client->context;

    if (!body)
        return err_set(e, ERR_CONFIG, "SSO: sso_start_url is not UTF-8");
    if (aws_endpoint_find(&c->env, &c->files, c->chain.profile, AWS_SSO_OIDC, client->step->sso_region,
                          &endpoint, e) < 0)
        return -1;
    json_put(&text, body);
    if (!buf_ok(&text))
        return err_set(e, ERR_DATA, "AWS SSO: the token file has over %d bytes", BODY_MOST);
    const struct aws_call call = {.context = c,
                                  .name = "AWS SSO",
                                  .endpoint = &endpoint,
                                  .method = "POST",
                                  .path = path,
                                  .content_type = "application/json",
                                  .body = &text,
                                  .want = want,
                                  .want_count = wants};
    return aws_call_run(&call, client->deadline, answer, &why, e);
}

/* Returns a number of seconds from an answer, or `absent` if it is missing or invalid. */
static long seconds_of(const struct http_answer *a, unsigned want, long absent)
{
    unsigned long n;

    return text_number(http_text(a, want), 1UL << 31, &n) ? (long)n : absent;
}

int sso_token_ask(const struct sso_client *client, json_t *body, json_t *root, char code[64], struct err *e)
{
    static const struct aws_want want[] = {{HTTP_JSON, "accessToken"},
                                           {HTTP_JSON, "expiresIn"},
                                           {HTTP_JSON, "refreshToken"},
                                           {HTTP_JSON, "error"}};
    AUTO_HTTP_ANSWER(answer);

    (void)json_object_set(body, "clientId", json_object_get(root, "clientId"));
    (void)json_object_set(body, "clientSecret", json_object_get(root, "clientSecret"));
    int result = ask(client, "/token", body, want, ARRAY_LEN(want), &answer, e);
    (void)snprintf(code, 64, "%s", http_text(&answer, 3));
    if (result < 0)
        return -1;
    long seconds = seconds_of(&answer, 1, 0);
    if (!*http_text(&answer, 0) || seconds == 0)
        return err_set(e, ERR_PROTOCOL, "AWS SSO: the answer has no token");
    cache_file_put(root, "startUrl", client->step->start_url);
    cache_file_put(root, "region", client->step->sso_region);
    cache_file_put(root, "accessToken", http_text(&answer, 0));
    cache_file_put_time(root, "expiresAt", time(NULL) + seconds);
    if (*http_text(&answer, 2))
        cache_file_put(root, "refreshToken", http_text(&answer, 2));
    return 0;
}

/* --- client registration */

static bool registration_is_good(const json_t *registration)
{
    time_t expires;

    return cache_file_text(registration, "clientId") && cache_file_text(registration, "clientSecret") &&
           cache_file_time(registration, "expiresAt", &expires) && expires - time(NULL) > 15 * 60;
}

/* Returns NULL if the CLI could not name such a file. */
static char *registration_path(const struct sso_client *client)
{
    AUTO_BUF(text, 16384);
    AUTO_FREE(char *, name);
    struct err ignored = ERR_INIT;
    char hash[41], *path = NULL;

    if (!sso_registration_name(client->step, &text) ||
        http_sha1(buf_str(&text), hash, client->deadline, &ignored) < 0)
        return NULL;
    name = mem_printf("%s.json", hash);
    return cache_file_path(".aws/sso/cache", name, &path, &ignored) < 0 ? NULL : path;
}

static int register_client(const struct sso_client *client, json_t **out, struct err *e)
{
    static const struct aws_want want[] = {
        {HTTP_JSON, "clientId"}, {HTTP_JSON, "clientSecret"}, {HTTP_JSON, "clientSecretExpiresAt"}};
    AUTO_HTTP_ANSWER(answer);
    AUTO_FREE(char *, name);
    AUTO_JSON(body);
    json_t *scopes = sso_scopes(client->step->scopes);

    name = mem_printf("broker-%s", client->step->session ? client->step->session : "legacy");
    body = json_pack("{s:s,s:s,s:[ss]}", "clientName", name, "clientType", "public", "grantTypes",
                     DEVICE_GRANT, "refresh_token");
    if (scopes)
        (void)json_object_set(body, "scopes", scopes);
    int result = ask(client, "/client/register", body, want, ARRAY_LEN(want), &answer, e);
    if (result == 0 && (!*http_text(&answer, 0) || !*http_text(&answer, 1)))
        result = err_set(e, ERR_PROTOCOL, "AWS SSO: the registration has no clientId or clientSecret");
    if (result == 0) {
        *out = json_object();
        cache_file_put(*out, "clientId", http_text(&answer, 0));
        cache_file_put(*out, "clientSecret", http_text(&answer, 1));
        cache_file_put_time(*out, "expiresAt", (time_t)seconds_of(&answer, 2, 0));
        if (scopes)
            (void)json_object_set(*out, "scopes", scopes);
    }
    json_decref(scopes);
    return result;
}

/* Finds or makes a client registration and stores it in `root`, next to the token, as the CLI does. */
static int find_registration(const struct sso_client *client, bool anew, json_t *root, struct err *e)
{
    AUTO_FREE(char *, path);
    AUTO_JSON(registration);
    struct err ignored = ERR_INIT;

    path = registration_path(client);
    if (path && !anew)
        registration = cache_file_read(path);
    if (!registration_is_good(registration)) {
        json_free_cleanup(&registration);
        if (register_client(client, &registration, e) < 0)
            return -1;
        if (path && cache_file_write(path, registration, &ignored) < 0)
            log_step("login", "cannot save the registration: %s: %s", ignored.what, ignored.msg);
    }
    (void)json_object_set(root, "clientId", json_object_get(registration, "clientId"));
    (void)json_object_set(root, "clientSecret", json_object_get(registration, "clientSecret"));
    (void)json_object_set(root, "registrationExpiresAt", json_object_get(registration, "expiresAt"));
    return 0;
}

/* --- waiting for the user to log in */

struct device {
    struct secret *code;
    long interval;
    int64_t deadline;
};

static void device_release(struct device *d)
{
    secret_free(d->code);
}

/* Prints a text of the service as a single line, because further lines could be taken for broker's own
 * messages. */
static void say_line(const char *before, const char *theirs)
{
    AUTO_BUF(line, 4096);

    text_sanitise_line(&line, theirs, strlen(theirs));
    log_say("%s%s", before, buf_str(&line));
}

static void invite(const struct sso_client *client, const struct http_answer *a)
{
    const char *complete = http_text(a, 2), *bare = http_text(a, 3), *url = *complete ? complete : bare;

    log_say("log in to %s in the browser:", client->step->start_url);
    say_line("", url);
    say_line("it shows the code ", http_text(a, 1));
    (void)browser_open(url);
}

static int start_device(const struct sso_client *client, const json_t *root, struct device *out,
                        struct err *e)
{
    static const struct aws_want want[] = {
        {HTTP_JSON, "deviceCode"},      {HTTP_JSON, "userCode"},  {HTTP_JSON, "verificationUriComplete"},
        {HTTP_JSON, "verificationUri"}, {HTTP_JSON, "expiresIn"}, {HTTP_JSON, "interval"}};
    AUTO_HTTP_ANSWER(answer);
    AUTO_JSON(body);

    body = json_pack("{s:O,s:O,s:s}", "clientId", json_object_get(root, "clientId"), "clientSecret",
                     json_object_get(root, "clientSecret"), "startUrl", client->step->start_url);
    if (ask(client, "/device_authorization", body, want, ARRAY_LEN(want), &answer, e) < 0)
        return -1;
    if (!*http_text(&answer, 0) || !*http_text(&answer, 1) ||
        !(*http_text(&answer, 2) || *http_text(&answer, 3)))
        return err_set(e, ERR_PROTOCOL, "AWS SSO: the answer has no code");
    out->code = secret_from(http_text(&answer, 0), strlen(http_text(&answer, 0)));
    out->interval = seconds_of(&answer, 5, INTERVAL_SECONDS);
    if (out->interval == 0)
        out->interval = 1;
    out->deadline = clock_deadline((int64_t)seconds_of(&answer, 4, 600) * 1000, client->deadline);
    invite(client, &answer);
    return 0;
}

static int login_timed_out(const struct sso_client *client, struct err *e)
{
    (void)err_set(e, ERR_LOGIN, "timed out waiting for the login to SSO session '%s'",
                  sso_name(client->step));
    return err_hint(e, "try again; login_timeout sets how long broker waits");
}

/* Returns 1 if the user has logged in, 0 if not yet, -1 on error. */
static int poll_once(const struct sso_client *client, struct device *d, json_t *root, struct err *e)
{
    AUTO_JSON(body);
    char code[64];

    body = json_pack("{s:s,s:s}", "grantType", DEVICE_GRANT, "deviceCode", secret_bytes(d->code));
    if (sso_token_ask(client, body, root, code, e) == 0)
        return 1;
    if (text_equal(code, "slow_down") && d->interval < INTERVAL_MOST)
        d->interval += SLOWER_SECONDS;
    /* RFC 8628, section 3.5: continue after a network error. */
    bool is_away = e->code == ERR_UNREACHABLE || e->code == ERR_TRY_LATER;
    if (is_away || text_equal(code, "slow_down") || text_equal(code, "authorization_pending")) {
        err_clear(e);
        return 0;
    }
    if (text_equal(code, "expired_token"))
        return login_timed_out(client, e);
    if (text_equal(code, "access_denied")) {
        (void)err_set(e, ERR_REFUSED, "SSO session '%s': refused in the browser", sso_name(client->step));
        return err_hint(e, "try again, and allow it there");
    }
    return -1;
}

static int wait_for_login(const struct sso_client *client, struct device *d, json_t *root, struct err *e)
{
    struct tty_wait wait;
    int done = 0;

    tty_wait_begin(&wait, "the browser", d->deadline);
    while (done == 0 && clock_left(d->deadline) > 0) {
        if (tty_wait_nap(&wait, d->interval * 1000))
            done = poll_once(client, d, root, e);
    }
    tty_wait_end(&wait);
    if (done == 0)
        return login_timed_out(client, e);
    return done < 0 ? -1 : 0;
}

int sso_login(const struct sso_client *client, json_t *root, struct err *e)
{
    __attribute__((cleanup(device_release))) struct device device = {0};

    /* Removes the previous session's refresh token, because the service may not issue one for the new
     * session. */
    (void)json_object_del(root, "refreshToken");
    if (find_registration(client, false, root, e) < 0)
        return -1;
    if (start_device(client, root, &device, e) < 0) {
        /* The registration may have been revoked, so register again, once. */
        if (e->code != ERR_REFUSED || find_registration(client, true, root, e) < 0 ||
            start_device(client, root, &device, e) < 0)
            return -1;
        err_clear(e);
    }
    return wait_for_login(client, &device, root, e);
}
