/* SPDX-License-Identifier: MIT */
/*
 * vault_auth = oidc: the user logs in with a browser. Vault is the OpenID client: it creates state, nonce and
 * PKCE parameters and exchanges the code. To get the token one needs client_nonce, which this process sends
 * only to Vault.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include <base/browser.h>
#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>
#include <ipc/callback.h>
#include <model/address.h>

#include "auth_url.h"
#include "method.h"
#include "path.h"
#include "token.h"

#define CALLBACK_PATH "/oidc/callback"
#define NONCE_BYTES 20
#define PATH_MOST 32768
#define PROMPT "address: "

struct oidc_flow {
    const struct vault *v;
    char *host; /* HOST:PORT of the callback listener */
    unsigned port;
    struct secret *nonce, *state;
    bool form;
    int64_t deadline;
};

static void oidc_flow_release(struct oidc_flow *f)
{
    free(f->host);
    secret_free(f->nonce);
    secret_free(f->state);
}

static int oidc_check(const struct vault *v, struct err *e)
{
    AUTO_FREE(char *, host);
    long port;

    if (address_split(v->callback, &host, &port) && port >= 0 &&
        (text_equal(host, "localhost") || text_equal(host, "127.0.0.1") || text_equal(host, "::1")))
        return 0;
    (void)err_set(e, ERR_CONFIG, "vault_callback = %s: not a port of this machine", v->callback);
    return err_hint(e, "for example: vault_callback = localhost:8250");
}

static int open_callback(struct oidc_flow *f, struct err *e)
{
    AUTO_FREE(char *, host);
    AUTO_BUF(text, 512);
    long port = 0;

    if (!address_split(f->v->callback, &host, &port))
        return err_set(e, ERR_BUG, "vault_callback was not checked");
    f->port = (unsigned)port;
    if (callback_open(f->v->callback, &f->port, CALLBACK_PATH, f->deadline, e) < 0)
        return -1;
    text_address(&text, host, f->port);
    f->host = buf_take(&text);
    return 0;
}

/* --- the URL of the login page */

static struct secret *make_nonce(void)
{
    unsigned char bytes[NONCE_BYTES];
    char text[2 * NONCE_BYTES + 1];

    randombytes_buf(bytes, sizeof bytes);
    (void)sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    struct secret *nonce = secret_from(text, sizeof text - 1);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(text, sizeof text);
    return nonce;
}

static void put_path(const struct oidc_flow *f, const char *end, struct buf *out)
{
    buf_puts(out, "auth/");
    vault_path_encode(out, f->v->mount);
    buf_puts(out, end);
}

static int no_address(const struct oidc_flow *f, const char *redirect, struct err *e)
{
    (void)err_set(
        e, ERR_REFUSED,
        "Vault returned no login page: the role or the redirect is not allowed, or the provider is down");
    (void)err_detail(e, "role      %s", f->v->role ? f->v->role : "Vault's default_role");
    (void)err_detail(e, "redirect  %s", redirect);
    return err_hint(
        e, "add that redirect to allowed_redirect_uris of the role, or check vault_role and the provider");
}

static int explain_address(const struct oidc_flow *f, const struct vault_refusal *why, struct err *e)
{
    if (why->status == 403)
        return err_hint(e,
                        "check vault_mount = %s: it has no OpenID login, or not for unauthenticated clients",
                        f->v->mount);
    return e->hint[0] ? -1 : err_hint(e, "check vault_role and vault_mount");
}

static int ask_address(struct oidc_flow *f, struct http_answer *answer, struct err *e)
{
    static const char *const want[] = {"data.auth_url"};
    AUTO_FREE(char *, redirect);
    AUTO_BUF(path, PATH_MOST);
    AUTO_JSON(body);
    struct vault_refusal why;

    redirect = mem_printf("http://%s" CALLBACK_PATH, f->host);
    f->nonce = make_nonce();
    json_use_wiping_memory();
    body = json_pack("{s:s,s:o,s:s*}", "redirect_uri", redirect, "client_nonce", vault_json_secret(f->nonce),
                     "role", f->v->role);
    put_path(f, "/oidc/auth_url", &path);
    const struct vault_call call = {
        .method = "PUT", .path = buf_str(&path), .body = body, .want = want, .want_count = ARRAY_LEN(want)};
    if (vault_call(f->v, &call, true, f->deadline, answer, &why, e) < 0)
        return explain_address(f, &why, e);
    if (!*http_text(answer, 0))
        return no_address(f, redirect, e);
    return vault_auth_url_read(http_text(answer, 0), &f->state, &f->form, e);
}

/* --- waiting for the user to log in */

/* Appends the address at which this machine was reached over SSH, or else its host name. */
static void put_this_host(struct buf *out)
{
    const char *ssh = secure_getenv("SSH_CONNECTION"), *at = ssh ? strchr(ssh, ' ') : NULL;
    char name[256] = "";

    at = at ? strchr(at + 1, ' ') : NULL;
    if (at && at[1] && strcspn(at + 1, " ") < 64)
        buf_add(out, at + 1, strcspn(at + 1, " "));
    else
        buf_puts(out, gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "THIS-HOST");
}

static void invite_elsewhere(const struct oidc_flow *f)
{
    AUTO_BUF(host, 512);
    AUTO_BUF(word, 1024);

    put_this_host(&host);
    text_quote_sh(&word, buf_str(&host));
    if (f->form)
        log_say("it ends at http://%s/..., which must lead here; first, from where the browser is:", f->host);
    else
        log_say("it ends at http://%s/...; if that does not load, paste its address,", f->host);
    log_say("%sssh -L %u:localhost:%u %s", f->form ? "" : "or first: ", f->port, f->port, buf_str(&word));
}

/* Returns true if a browser was opened on this machine. */
static bool invite(const struct oidc_flow *f, const char *url)
{
    bool is_here = browser_is_here();

    log_say("log in to %s in %s browser:", f->v->addr, is_here ? "the" : "any");
    log_say("%s", url);
    if (is_here && browser_open(url))
        return true;
    invite_elsewhere(f);
    return false;
}

/* Reads the pasted text. Returns 1 if it is the callback URL, 0 to continue waiting. */
static int take_paste(const struct oidc_flow *f, struct secret *answer, struct callback *out, struct err *e)
{
    int got = tty_paste_read(answer);

    if (got == 0)
        return 0;
    int taken = got > 0 && secret_len(answer) ? callback_paste(answer, f->deadline, out, e) : 0;
    if (taken != 0)
        return taken;
    if (got < 0 && secret_len(answer) == 0) {
        (void)err_set(e, ERR_LOGIN, "cancelled");
        return err_hint(e, "paste the whole address, which begins with http://%s" CALLBACK_PATH, f->host);
    }
    tty_paste_end();
    log_say("not this login's: it begins with http://%s" CALLBACK_PATH "? and has its state", f->host);
    secret_cut(answer, 0);
    return tty_paste_begin(PROMPT) < 0 ? err_set(e, ERR_LOGIN, "%s", tty_why_not()) : 0;
}

/* Waits for the callback at the listener, whose port may be forwarded, and for its URL to be pasted on the
 * terminal. */
static int wait_with_paste(const struct oidc_flow *f, struct callback *out, struct err *e)
{
    AUTO_SECRET(answer);
    int fd = f->form ? -1 : tty_paste_begin(PROMPT), got;

    answer = secret_new(CALLBACK_PASTE_MAX);
    while ((got = callback_wait(f->state, f->form, fd, f->deadline, out, e)) == 2) {
        got = take_paste(f, answer, out, e);
        if (got != 0)
            break;
    }
    tty_paste_end();
    return got;
}

static int wait_for_login(const struct oidc_flow *f, const char *url, struct callback *out, struct err *e)
{
    int got = invite(f, url) ? callback_wait(f->state, f->form, -1, f->deadline, out, e)
                             : wait_with_paste(f, out, e);

    if (got < 0)
        return -1;
    if (got == 0) {
        (void)err_set(e, ERR_LOGIN, "timed out waiting for the login to %s", f->v->addr);
        return err_hint(e, "try again; login_timeout sets how long broker waits");
    }
    if (out->code || out->id_token)
        return 0;
    (void)err_set(e, ERR_REFUSED, "the provider says: %s", out->error);
    return err_hint(e, "try again, and allow it there; or ask the provider's administrators");
}

/* --- the token */

static void put_parameter(struct buf *out, const char *name, const struct secret *value)
{
    buf_printf(out, "%s=", name);
    text_percent_encode(out, secret_bytes(value), secret_len(value));
}

/* Sends the values of a form to Vault as a form first, as Vault's own CLI does. */
static int post_form(const struct oidc_flow *f, const struct callback *c, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    AUTO_BUF(path, PATH_MOST);
    AUTO_JSON(body);
    struct vault_refusal why;

    if (!f->form)
        return 0;
    body = json_pack("{s:o,s:o,s:o*,s:o*}", "state", vault_json_secret(f->state), "client_nonce",
                     vault_json_secret(f->nonce), "code", c->code ? vault_json_secret(c->code) : NULL,
                     "id_token", c->id_token ? vault_json_secret(c->id_token) : NULL);
    put_path(f, "/oidc/callback", &path);
    const struct vault_call call = {.method = "POST", .path = buf_str(&path), .body = body};
    if (vault_call(f->v, &call, true, f->deadline, &answer, &why, e) == 0)
        return 0;
    /* Vault expects the redirect of its own web page and answers others with 400 and an HTML page, but it has
     * stored the values. */
    if (why.status != 400)
        return -1;
    err_clear(e);
    return 0;
}

static int exchange(const struct oidc_flow *f, const struct callback *c, struct vault_token *out,
                    struct err *e)
{
    AUTO_BUF(path, PATH_MOST);
    struct vault_refusal why;

    if (post_form(f, c, e) < 0)
        return -1;
    put_path(f, "/oidc/callback?", &path);
    put_parameter(&path, "state", f->state);
    if (c->code)
        put_parameter(&path, "&code", c->code);
    put_parameter(&path, "&client_nonce", f->nonce);
    return vault_token_login(f->v, "GET", buf_str(&path), NULL, NULL, f->deadline, out, &why, e);
}

static int run(struct oidc_flow *f, struct vault_token *out, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    AUTO_CALLBACK(callback);

    if (open_callback(f, e) < 0 || ask_address(f, &answer, e) < 0 ||
        wait_for_login(f, http_text(&answer, 0), &callback, e) < 0)
        return -1;
    return exchange(f, &callback, out, e);
}

static int oidc_login(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    __attribute__((cleanup(oidc_flow_release))) struct oidc_flow f = {.v = v, .deadline = deadline};
    int result = run(&f, out, e);

    callback_finish(result == 0, clock_deadline(5000, CLOCK_NEVER));
    return result == 0 || e->hint[0]
               ? result
               : err_hint(e, "try again; Vault or its role for %s refused the login", v->mount);
}

const struct vault_method vault_method_oidc = {
    .name = "oidc", .person = VAULT_PERSON_BROWSES, .check = oidc_check, .login = oidc_login};
