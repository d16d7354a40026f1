/* SPDX-License-Identifier: MIT */
/*
 * The role of an EC2 instance, from version 2 of the instance metadata service. Version 1 is never used,
 * because an attacker can read it by making a server on the instance request a URL (SSRF). On a machine
 * outside EC2 the attempt takes at most one second by default.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
#include <aws/source.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>

#include "metadata.h"

#define WHO "EC2 instance metadata"
#define IPV4 "http://169.254.169.254"
#define IPV6 "http://[fd00:ec2::254]"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TRY_MS 1000
#define TRY_MOST_MS 60000
#define NAP_MS 100

struct metadata_service {
    char *base;
    long try_ms;
    unsigned tries;
    int64_t deadline;
    struct secret *token;
};

static const char *setting(const struct aws_context *c, const char *variable, const char *key)
{
    const struct aws_property *p = aws_files_property(&c->files, AWS_PROFILE, c->chain.profile, key);

    return variable ? variable : p && *p->value ? p->value : NULL;
}

static unsigned number(const char *value, unsigned long most, unsigned otherwise)
{
    unsigned long n;

    return value && text_number(value, most, &n) && n > 0 ? (unsigned)n : otherwise;
}

static int find_service(const struct aws_context *c, struct metadata_service *s, struct err *e)
{
    const char *own = setting(c, c->env.metadata_endpoint, "ec2_metadata_service_endpoint");
    const char *mode = setting(c, c->env.metadata_endpoint_mode, "ec2_metadata_service_endpoint_mode");
    const char *seconds = setting(c, c->env.metadata_timeout, "metadata_service_timeout");

    if (mode && !text_equal_nocase(mode, "ipv4") && !text_equal_nocase(mode, "ipv6")) {
        (void)err_set(e, ERR_CONFIG, "unknown ec2_metadata_service_endpoint_mode '%.64s'", mode);
        return err_hint(e, "one of: IPv4 IPv6");
    }
    if (own && !text_starts(own, "http://") && !text_starts(own, "https://")) {
        (void)err_set(e, ERR_CONFIG, "ec2_metadata_service_endpoint '%.128s' is not an http or https URL",
                      own);
        return err_hint(e, "like " IPV4);
    }
    s->base = mem_strdup(own ? own : mode && text_equal_nocase(mode, "ipv6") ? IPV6 : IPV4);
    for (size_t n = strlen(s->base); n && s->base[n - 1] == '/'; n--)
        s->base[n - 1] = '\0';
    s->try_ms = (long)number(seconds, TRY_MOST_MS / 1000, TRY_MS / 1000) * 1000;
    s->tries = number(setting(c, c->env.metadata_attempts, "metadata_service_num_attempts"), 20, 1);
    return 0;
}

/* Returns whether no retry is needed. Status 401 is handled by the caller; an empty text means that the role
 * is not ready yet. */
static bool is_answer(const struct http_answer *a)
{
    return a->status == 401 || (a->status == 200 && *http_text(a, 0));
}

/* Sends a request, and retries it as often as the user configured, whatever the error. */
static int ask(const struct metadata_service *s, struct http_request *r, struct http_answer *answer,
               struct err *e)
{
    for (unsigned left = s->tries;; left--) {
        http_answer_release(answer);
        int got = http_call(r, answer, clock_deadline(s->try_ms, s->deadline), e);
        if (got == 0 && (left <= 1 || is_answer(answer)))
            return 0;
        if (got < 0 && (left <= 1 || !answer->transient))
            return err_prefix(e, WHO);
        if (clock_left(s->deadline) <= NAP_MS)
            return got < 0 ? err_prefix(e, WHO) : 0;
        (void)poll(NULL, 0, NAP_MS);
        err_clear(e);
    }
}

static int fetch_token(struct metadata_service *s, struct err *e)
{
    AUTO_HTTP_REQUEST(request);
    AUTO_HTTP_ANSWER(answer);
    AUTO_FREE(char *, url);

    url = mem_printf("%s/latest/api/token", s->base);
    metadata_start(&request, "PUT", url, s->try_ms);
    http_header(&request, "X-aws-ec2-metadata-token-ttl-seconds", "21600");
    unsigned text = http_want(&request, HTTP_TEXT, "");
    if (ask(s, &request, &answer, e) < 0)
        return -1;
    if (answer.status != 200)
        return err_set(e, ERR_REFUSED, WHO ": refused a token (HTTP %u)", answer.status);
    if (!metadata_is_sendable(http_text(&answer, text)))
        return err_set(e, ERR_PROTOCOL, WHO ": the token is malformed");
    secret_free(s->token);
    s->token = answer.field[text];
    answer.field[text] = NULL;
    return 0;
}

/* Sends a GET request. If the token has expired in the meantime, it is renewed once. */
static int get(struct metadata_service *s, const char *path, bool keys, struct http_answer *answer,
               struct err *e)
{
    AUTO_FREE(char *, url);

    url = mem_printf("%s%s", s->base, path);
    for (int again = 0;; again++) {
        AUTO_HTTP_REQUEST(request);
        if (!s->token && fetch_token(s, e) < 0)
            return -1;
        metadata_start(&request, "GET", url, s->try_ms);
        http_header_secret(&request, "X-aws-ec2-metadata-token", s->token);
        if (keys)
            metadata_want_keys(&request);
        else
            (void)http_want(&request, HTTP_TEXT, "");
        if (ask(s, &request, answer, e) < 0)
            return -1;
        if (answer->status != 401 || again)
            return 0;
        secret_free(s->token);
        s->token = NULL;
    }
}

/* Gets the role's name, which is the first line of the answer. Only names that need no escaping in a URL are
 * accepted. */
static int find_role(struct metadata_service *s, char **role, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);

    if (get(s, ROLES, false, &answer, e) < 0)
        return -1;
    const char *text = http_text(&answer, 0);
    if (answer.status == 404 || (answer.status == 200 && !*text))
        return err_set(e, ERR_REFUSED, WHO ": this machine has no role");
    if (answer.status != 200)
        return err_set(e, ERR_REFUSED, WHO ": HTTP %u", answer.status);
    size_t n = strcspn(text, "\r\n");
    *role = mem_strndup(text, n);
    if (n && n <= 128 &&
        !(*role)[strspn(*role, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-")])
        return 0;
    return err_set(e, ERR_PROTOCOL, WHO ": the answer does not name a role");
}

static int fetch(struct metadata_service *s, struct aws_keys *out, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    AUTO_FREE(char *, role);
    AUTO_FREE(char *, path);

    if (find_role(s, &role, e) < 0)
        return -1;
    path = mem_printf("%s%s", ROLES, role);
    if (get(s, path, true, &answer, e) < 0)
        return -1;
    if (answer.status != 200)
        return err_set(e, ERR_REFUSED, WHO ": role %s: HTTP %u", role, answer.status);
    return metadata_take_keys(&answer, WHO, out, e);
}

/* Sets the final error. If nothing was configured, it is "no AWS credentials", and the service's error
 * becomes a detail line. */
static int explain(const struct aws_context *c, const struct aws_step *step, struct err *e)
{
    char why[sizeof e->msg];

    if (!step->is_last_resort)
        return e->hint[0] ? -1
                          : err_hint(e, "credential_source = Ec2InstanceMetadata works only on an EC2 "
                                        "instance that has a role");
    (void)snprintf(why, sizeof why, "%s", e->msg);
    (void)aws_chain_no_keys(&c->chain, e);
    return err_detail(e, "%s", why);
}

static int instance_get(const struct aws_context *c, const struct aws_step *step,
                        const struct aws_keys *before, int64_t deadline, struct aws_keys *out, struct err *e)
{
    struct metadata_service s = {.deadline = deadline};
    int result = -1;

    (void)before;
    if (aws_is_true(c->env.metadata_disabled)) {
        (void)err_set(e, ERR_CONFIG, WHO ": AWS_EC2_METADATA_DISABLED is true");
        return err_hint(e, "unset it, or choose another credential_source");
    }
    if (find_service(c, &s, e) == 0 && (result = fetch(&s, out, e)) < 0)
        (void)explain(c, step, e);
    secret_free(s.token);
    mem_wipe_free(s.base);
    return result;
}

const struct aws_source aws_source_instance = {.get = instance_get};
