/* SPDX-License-Identifier: MIT */
/*
 * The parsers of the credential helpers' protocols. The first byte chooses one. What git's parser accepts,
 * the writer prints, or refuses as a whole; parsing the printed text again gives the same fields.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <protocol/docker.h>
#include <protocol/git.h>

static void must(bool right)
{
    if (!right)
        abort();
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
    return a && b ? secret_equal(a, b) : a == b;
}

static void read_again(const struct git_credential *c, const struct buf *text)
{
    AUTO_GIT(again);
    struct err e = ERR_INIT;

    must(git_parse(buf_str(text), text->len, &again, &e) == 0);
    must(same_text(c->protocol, again.protocol) && same_text(c->host, again.host) &&
         same_text(c->path, again.path) && same_text(c->username, again.username) &&
         same_text(c->authtype, again.authtype));
    must(same_secret(c->password, again.password) && same_secret(c->credential, again.credential) &&
         same_secret(c->refresh_token, again.refresh_token));
    must(c->expires == again.expires && git_same_secrets(c, &again) && git_matches(c, &again));
}

static void check_identity(const struct git_credential *c)
{
    AUTO_GIT(named);
    char *identity = git_identity(c), *prefix = git_identity_prefix(c);

    must(text_starts(identity, prefix));
    if (c->protocol && c->host)
        must(git_identity_parse(identity, &named) && git_matches(c, &named) &&
             same_text(c->path, named.path) && same_text(c->username, named.username));
    free(identity);
    free(prefix);
}

static void fuzz_git(const char *text, size_t n)
{
    AUTO_GIT(c);
    AUTO_BUF(out, 16 * GIT_LINE_MAX);
    struct err e = ERR_INIT;

    if (git_parse(text, n, &c, &e) < 0) {
        must(e.code == ERR_DATA && e.hint[0]);
        return;
    }
    check_identity(&c);
    if (git_print(&c, &out, &e) == 0)
        read_again(&c, &out);
    else
        must(e.code == ERR_DATA);
}

static void fuzz_docker(const char *text, size_t n)
{
    AUTO_DOCKER(c);
    AUTO_DOCKER(named);
    AUTO_BUF(out, 16 * DOCKER_INPUT_MAX);
    struct err e = ERR_INIT;
    char *url = docker_url(text, n, &e);

    if (url)
        (void)docker_is_database(url);
    free(url);
    if (docker_parse(text, n, &c, &e) < 0)
        return;
    must(docker_print(&c, &out, &e) == 0 && out.len && out.data[out.len - 1] == '\n');
    must(!memchr(buf_str(&out), '\n', out.len - 1));
    char *identity = docker_identity(c.url, c.username);
    must(docker_identity_parse(identity, &named) && same_text(named.url, c.url) &&
         same_text(named.username, c.username));
    free(identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF(text, 1 << 20);

    if (size == 0 || size > text.max)
        return 0;
    buf_add(&text, data + 1, size - 1);
    if (data[0] & 1)
        fuzz_docker(buf_str(&text), text.len);
    else
        fuzz_git(buf_str(&text), text.len);
    return 0;
}
