/* SPDX-License-Identifier: MIT */
/*
 * Lists the roles of a database mount, for error messages. If a policy denies that, the error is shown
 * without them.
 */
#include "roles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "call.h"
#include "path.h"

#define SHOWN_MOST 40

static int compare(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

/* Returns whether a role's name can be written into a config as it is. */
static bool is_role(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] <= ' ' || s[i] > '~' || s[i] == '/')
            return false;
    }
    return n > 0;
}

/* Fails, and sets *e, if Vault does not list the roles. */
static int list(const struct vault *v, const char *kind, int64_t deadline, struct words *out, struct err *e)
{
    AUTO_HTTP_ANSWER(answer);
    AUTO_BUF(path, 4096);
    AUTO_FREE(char *, mount);
    struct vault_refusal why;

    mount = mem_strndup(v->path, (size_t)vault_path_mount_length(v->path));
    vault_path_encode(&path, mount);
    buf_printf(&path, "/%s?list=true", kind);
    const struct vault_call call = {
        .method = "GET", .path = buf_str(&path), .token = v->token.value, .list = "data.keys"};
    if (vault_call(v, &call, false, deadline, &answer, &why, e) < 0)
        return -1;
    for (const char *at = http_text(&answer, 0); *at; at += strspn(at, "\n")) {
        size_t n = strcspn(at, "\n");
        if (is_role(at, n))
            words_take(out, mem_strndup(at, n));
        at += n;
    }
    if (out->count)
        qsort(out->word, out->count, sizeof *out->word, compare);
    return 0;
}

static void add(const struct vault *v, const char *folder, const struct words *roles, struct err *e)
{
    for (size_t i = 0; i < roles->count && i < SHOWN_MOST; i++)
        (void)err_detail(e, "%.*s/%s/%s", vault_path_mount_length(v->path), v->path, folder, roles->word[i]);
    if (roles->count > SHOWN_MOST)
        (void)err_detail(e, "and %u more", (unsigned)(roles->count - SHOWN_MOST));
}

int vault_explain_mount(const struct vault *v, int64_t deadline, struct err *e)
{
    AUTO_WORDS(roles);
    AUTO_WORDS(fixed);
    struct err of_roles = ERR_INIT, ignored = ERR_INIT;
    int n = vault_path_mount_length(v->path);
    int listed = list(v, "roles", deadline, &roles, &of_roles);

    (void)list(v, "static-roles", deadline, &fixed, &ignored);
    (void)err_set(e, ERR_CONFIG, "vault_path = %s: which role?", v->path);
    if (!roles.count && !fixed.count)
        (void)err_detail(e, "%s", listed < 0 ? of_roles.msg : "it has none that you may list");
    add(v, "creds", &roles, e);
    add(v, "static-creds", &fixed, e);
    return err_hint(e, "vault_path = %.*s/%s/%s", n, v->path,
                    roles.count || !fixed.count ? "creds" : "static-creds",
                    roles.count   ? roles.word[0]
                    : fixed.count ? fixed.word[0]
                                  : "ROLE");
}

int vault_explain_role(const struct vault *v, int64_t deadline, struct err *e)
{
    AUTO_WORDS(roles);
    struct err ignored = ERR_INIT;
    bool is_static = vault_path_is_static(v->path);
    const char *folder = is_static ? "static-creds" : "creds", *role = vault_path_role(v->path);

    if (list(v, is_static ? "static-roles" : "roles", deadline, &roles, &ignored) < 0 || !roles.count)
        return err_hint(e, "check the role in vault_path = %s", v->path);
    const char *meant = text_closest(role, (const char *const *)roles.word);
    add(v, folder, &roles, e);
    return err_hint(e, "vault_path = %.*s/%s/%s", vault_path_mount_length(v->path), v->path, folder,
                    meant ? meant : "ROLE");
}
