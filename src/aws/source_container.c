/* SPDX-License-Identifier: MIT */
/*
 * The keys of a container in ECS, EKS Pod Identity or Greengrass. The URL is in the environment. Plain HTTP
 * is only accepted for addresses that are on this machine.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
#include <aws/source.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>

#include "metadata.h"

#define WHO "container credentials"
#define ECS_BASE "http://169.254.170.2"
#define TRIES 3
#define TRY_MS 2000
#define NAP_MS 1000
#define TOKEN_MOST 16384

static bool is_link_local(const char *host)
{
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (text_equal_nocase(host, hosts[i]))
            return true;
    }
    return host_is_loopback(host);
}

/* Allows HTTP only for addresses where no other machine can answer. */
static int check_full_uri(const char *uri, struct err *e)
{
    AUTO_FREE(char *, authority);
    AUTO_FREE(char *, host);
    long port;

    if (text_starts(uri, "https://"))
        return 0;
    authority = text_starts(uri, "http://") ? mem_strndup(uri + 7, strcspn(uri + 7, "/?#")) : NULL;
    if (authority && address_split(authority, &host, &port) && is_link_local(host))
        return 0;
    (void)err_set(e, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI: %s",
                  host ? "http is only allowed for addresses of this machine" : "not an http or https URL");
    return err_hint(e, "https://..., or http://localhost:PORT/..., or unset it");
}

static int make_url(const struct aws_env *env, char **url, struct err *e)
{
    const char *relative = env->container_relative_uri;

    *url = relative ? mem_printf("%s%s%s", ECS_BASE, *relative == '/' ? "" : "/", relative)
                    : mem_strdup(env->container_full_uri);
    return relative ? 0 : check_full_uri(*url, e);
}

/* Gets the authorization token. The file is preferred, and read for every request, because another program
 * renews it. */
static int read_token(const struct aws_env *env, struct buf *out, struct err *e)
{
    const char *from = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

    if (env->container_token_file) {
        AUTO_FREE(char *, path);
        from = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
        path = path_expand(env->container_token_file);
        int got = file_read(path, FILE_ANY, out, e);
        if (got > 0)
            (void)err_set(e, ERR_CONFIG, "%s does not exist", path);
        if (got != 0)
            return err_hint(e, "check %s", from);
    } else if (env->container_token) {
        buf_puts(out, env->container_token);
    } else {
        return 0;
    }
    if (buf_ok(out) && strlen(buf_str(out)) == out->len && metadata_is_sendable(buf_str(out)))
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s has no usable token: it is empty, or has a newline in it", from);
    return err_hint(e, "write only the token, without a newline");
}

/* Sets the error from an error response. The agents of ECS and EKS use the fields "code" and "message",
 * others "Code" and "Message"; either may be missing. */
static int say_status(const struct http_answer *a, struct err *e)
{
    const char *code = *http_text(a, 7) ? http_text(a, 7) : metadata_code(a);
    const char *message = *http_text(a, 8) ? http_text(a, 8) : metadata_message(a);
    AUTO_BUF(clean, 1024);

    text_sanitise_line(&clean, code, strnlen(code, 128));
    buf_puts(&clean, *code && *message ? ": " : "");
    text_sanitise_line(&clean, message, strnlen(message, 512));
    if (clean.len)
        (void)err_set(e, ERR_REFUSED, WHO ": %s", buf_str(&clean));
    else
        (void)err_set(e, ERR_REFUSED, WHO ": HTTP %u", a->status);
    return err_hint(e, "check AWS_CONTAINER_CREDENTIALS_* and AWS_CONTAINER_AUTHORIZATION_TOKEN*");
}

/* Returns 0 on success, 1 on a failure that may be retried, -1 on any other failure. */
static int ask(const char *url, const struct buf *token, int64_t deadline, struct aws_keys *out,
               struct err *e)
{
    AUTO_HTTP_REQUEST(request);
    AUTO_HTTP_ANSWER(answer);

    metadata_start(&request, "GET", url, TRY_MS);
    http_header(&request, "Accept", "application/json");
    if (token->len)
        http_header(&request, "Authorization", buf_str(token));
    metadata_want_keys(&request);
    (void)http_want(&request, HTTP_JSON, "code");
    (void)http_want(&request, HTTP_JSON, "message");
    if (http_call(&request, &answer, clock_deadline(TRY_MS, deadline), e) < 0) {
        (void)err_prefix(e, WHO);
        if (!e->hint[0]) /* the error for a crashed helper has its own hint */
            (void)err_hint(e, "is this a container of ECS or EKS? if not, unset AWS_CONTAINER_CREDENTIALS_*");
        return answer.transient ? 1 : -1;
    }
    if (answer.status != 200) {
        (void)say_status(&answer, e);
        return answer.status >= 500 || answer.status == 429 ? 1 : -1;
    }
    return metadata_take_keys(&answer, WHO, out, e);
}

static int container_get(const struct aws_context *c, const struct aws_step *step,
                         const struct aws_keys *before, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_FREE(char *, url);
    AUTO_BUF(token, TOKEN_MOST);

    (void)step;
    (void)before;
    if (make_url(&c->env, &url, e) < 0 || read_token(&c->env, &token, e) < 0)
        return -1;
    for (int left = TRIES;;) {
        int got = ask(url, &token, deadline, out, e);
        if (got <= 0)
            return got;
        if (--left == 0 || clock_left(deadline) <= NAP_MS)
            return -1;
        (void)poll(NULL, 0, NAP_MS);
        err_clear(e);
    }
}

/* Containers on the same machine may share a kernel keyring, so cached keys could belong to another
 * container. Returns 1, so that the keys are never cached. */
static int container_proof(const struct aws_context *c, const struct aws_step *step, char **place,
                           int64_t deadline, struct buf *out)
{
    (void)c;
    (void)step;
    (void)place;
    (void)deadline;
    (void)out;
    return 1;
}

const struct aws_source aws_source_container = {.get = container_get, .proof = container_proof};
