/* SPDX-License-Identifier: MIT */
/*
 * Paths are checked before they become part of a URL: with `..` a request, which contains the token, would go
 * to another part of Vault. If a config contains percent-encoded text, its `%` is encoded again, so that it
 * cannot become `..` either.
 */
#include "path.h"

#include <string.h>

#include <base/mem.h>
#include <base/text.h>

static const char *const kinds[] = {"/creds/", "/static-creds/"};

static const char *fault_of(const char *path)
{
    for (const char *at = path; *at; at++) {
        if (*at < ' ' || *at > '~')
            return "a byte that is not printable ASCII";
    }
    for (const char *part = path;;) {
        size_t n = strcspn(part, "/");
        if (n == 0)
            return "an empty part";
        if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return "a part that is . or ..";
        if (!part[n])
            return NULL;
        part += n + 1;
    }
}

int vault_path_take(const char *key, const char *value, char **out, struct err *e)
{
    AUTO_FREE(char *, path);
    const char *why;

    value += strspn(value, " /");
    size_t n = strlen(value);
    while (n && strchr(" /", value[n - 1]))
        n--;
    path = mem_strndup(value, n);
    if ((why = fault_of(path))) {
        (void)err_set(e, ERR_CONFIG, "%s: %s", key, why);
        return err_hint(e, "for example: %s = %s", key,
                        text_equal(key, "vault_path") ? "database/creds/ROLE" : "team/oidc");
    }
    *out = path;
    path = NULL;
    return 0;
}

void vault_path_encode(struct buf *out, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, "/");
        text_percent_encode(out, path, n);
        if (!path[n])
            return;
        buf_putc(out, '/');
        path += n + 1;
    }
}

/* Finds the last /creds/ or /static-creds/ and sets *n to its length; returns NULL if there is none. */
static const char *find_kind(const char *path, size_t *n)
{
    const char *last = NULL;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        for (const char *at = path; (at = strstr(at, kinds[i])); at++) {
            if (!last || at > last) {
                last = at;
                *n = strlen(kinds[i]);
            }
        }
    }
    return last;
}

const char *vault_path_role(const char *path)
{
    size_t n = 0;
    const char *at = find_kind(path, &n);

    return at ? at + n : NULL;
}

bool vault_path_is_static(const char *path)
{
    size_t n = 0;

    return find_kind(path, &n) && n == strlen(kinds[1]);
}

int vault_path_mount_length(const char *path)
{
    size_t n = 0;
    const char *at = find_kind(path, &n);

    if (at)
        return (int)(at - path);
    n = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t end = strlen(kinds[i]) - 1;
        if (n > end && strncmp(path + n - end, kinds[i], end) == 0)
            return (int)(n - end);
    }
    return (int)n;
}
