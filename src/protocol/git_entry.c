/* SPDX-License-Identifier: MIT */
/* Matches queries with entries, and makes the identities of entries in a store. */
#include <protocol/git.h>

#include <string.h>

#include <base/mem.h>

#define USER_MARK ";user="

static bool agrees(const char *asked, const char *found)
{
    return !asked || (found && strcmp(asked, found) == 0);
}

bool git_matches(const struct git_credential *query, const struct git_credential *entry)
{
    return agrees(query->protocol, entry->protocol) && agrees(query->host, entry->host) &&
           agrees(query->path, entry->path) && agrees(query->username, entry->username);
}

static bool same_secret(const struct secret *asked, const struct secret *found)
{
    return !asked || (found && secret_equal(asked, found));
}

bool git_same_secrets(const struct git_credential *query, const struct git_credential *entry)
{
    return same_secret(query->password, entry->password) && same_secret(query->credential, entry->credential);
}

/* Long enough for all parts of an entry, percent-encoded. */
#define IDENTITY_MAX (16 * 65536)

static void add_part(struct buf *out, const char *mark, const char *value)
{
    if (!value)
        return;
    buf_puts(out, mark);
    text_percent_encode(out, value, strlen(value));
}

char *git_identity_prefix(const struct git_credential *query)
{
    AUTO_BUF(out, IDENTITY_MAX);

    add_part(&out, GIT_IDENTITY, query->protocol ? query->protocol : "");
    if (query->protocol)
        add_part(&out, "://", query->host ? query->host : "");
    return buf_take(&out);
}

char *git_identity(const struct git_credential *c)
{
    AUTO_BUF(out, IDENTITY_MAX);
    AUTO_FREE(char *, prefix);

    prefix = git_identity_prefix(c);
    buf_puts(&out, prefix);
    add_part(&out, "/", c->path);
    add_part(&out, USER_MARK, c->username);
    return buf_take(&out);
}

/* Skips `mark` bytes, then decodes the text up to one of the characters in `stops`. */
static bool take_part(const char **at, size_t mark, const char *stops, char **out)
{
    AUTO_BUF(decoded, IDENTITY_MAX);

    *at += mark;
    size_t n = strcspn(*at, stops);
    if (!text_percent_decode(&decoded, *at, n))
        return false;
    *at += n;
    *out = buf_take(&decoded);
    return true;
}

bool git_identity_parse(const char *identity, struct git_credential *out)
{
    const char *at = identity;

    if (!text_starts(identity, GIT_IDENTITY) || !take_part(&at, strlen(GIT_IDENTITY), ":", &out->protocol) ||
        !text_starts(at, "://") || !take_part(&at, strlen("://"), "/;", &out->host))
        return false;
    if (*at == '/' && !take_part(&at, 1, ";", &out->path))
        return false;
    if (text_starts(at, USER_MARK) && !take_part(&at, strlen(USER_MARK), ";", &out->username))
        return false;
    return *at == '\0';
}

char *git_label(const struct git_credential *c)
{
    const char *user = c->username ? c->username : "", *path = c->path ? c->path : "";

    return mem_printf("%s%s%s%s%s", user, *user ? "@" : "", c->host ? c->host : "", *path ? "/" : "", path);
}
