/* SPDX-License-Identifier: MIT */
/*
 * Reads ~/.aws/cli/cache, which has one JSON file per role. The file name is the SHA-1 of the STS request as
 * written by Python's json.dumps(sort_keys=True). The CLI rewrites files in place, so a partly written file
 * is possible. A file does not tell which keys the role was assumed with. Only the serial number of an MFA
 * device identifies the user, so only roles with MFA are reused; without the cache, these would need another
 * MFA code.
 */
#include "role_cache.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <aws/session.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/http.h>
#include <model/json.h>

#include "call.h"

#define FILE_MOST 65536

static bool is_ascii(const char *s)
{
    for (; s && *s; s++) {
        if ((unsigned char)*s >= 128 || (unsigned char)*s < ' ')
            return false;
    }
    return true;
}

static void add(json_t *arguments, const char *key, const char *value)
{
    if (value)
        (void)json_object_set_new(arguments, key, json_string(value));
}

/* Returns the text whose SHA-1 is the file name, to be freed with json_string_free(); NULL if the CLI would
 * write it differently (characters other than printable ASCII). */
static char *file_key(const struct aws_step *s)
{
    unsigned long seconds;
    AUTO_JSON(arguments);

    if (!is_ascii(s->role_arn) || !is_ascii(s->session_name) || !is_ascii(s->external_id) ||
        !is_ascii(s->mfa_serial))
        return NULL;
    json_use_wiping_memory();
    arguments = json_object();
    if (s->duration && text_number(s->duration, 1000000, &seconds))
        (void)json_object_set_new(arguments, "DurationSeconds", json_integer((json_int_t)seconds));
    add(arguments, "ExternalId", s->external_id);
    add(arguments, "RoleArn", s->role_arn);
    add(arguments, "RoleSessionName", s->session_name);
    add(arguments, "SerialNumber", s->mfa_serial);
    return json_dumps(arguments, JSON_SORT_KEYS);
}

static const char *text_of(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);

    return json_is_string(value) && *json_string_value(value) ? json_string_value(value) : NULL;
}

static bool take_keys(const struct buf *text, time_t least_life, struct aws_keys *out)
{
    AUTO_JSON(root);

    json_use_wiping_memory();
    root = json_loadb(buf_str(text), text->len, 0, NULL);
    const json_t *keys = json_object_get(root, "Credentials");
    const char *id = text_of(keys, "AccessKeyId"), *secret = text_of(keys, "SecretAccessKey");
    const char *token = text_of(keys, "SessionToken"), *end = text_of(keys, "Expiration");
    if (!id || !secret || !token || !end || !aws_time_parse(end, &out->expires_at) ||
        out->expires_at <= time(NULL) + (least_life ? least_life : AWS_SESSION_MARGIN))
        return false;
    out->id = mem_strdup(id);
    out->secret = secret_from(secret, strlen(secret));
    out->token = secret_from(token, strlen(token));
    out->account = mem_strdup(text_of(keys, "AccountId"));
    return true;
}

static bool read_role(const char *folder, const struct aws_step *step, time_t least_life, int64_t deadline,
                      struct aws_keys *out)
{
    struct err ignored = ERR_INIT;
    AUTO_BUF(text, FILE_MOST);
    AUTO_FREE(char *, path);
    char *key = file_key(step), name[41];

    if (!key)
        return false;
    int digested = http_sha1(key, name, deadline, &ignored);
    json_string_free(key);
    if (digested < 0)
        return false;
    path = mem_printf("%s/%s.json", folder, name);
    if (file_read(path, FILE_ANY, &text, &ignored) != 0 || !take_keys(&text, least_life, out))
        return false;
    AUTO_FREE(char *, shown);
    shown = path_short(path);
    log_step("login", "role %s from the AWS CLI's %s", aws_role_name(step->role_arn), shown);
    return true;
}

size_t role_cache_find(const struct aws_context *c, int64_t deadline, struct aws_keys *out)
{
    AUTO_FREE(char *, folder);

    folder = path_expand("~/.aws/cli/cache");
    if (access(folder, R_OK | X_OK) < 0)
        return 0;
    for (size_t i = c->chain.count; i-- > 0;) {
        const struct aws_step *s = &c->chain.step[i];
        AUTO_AWS_KEYS(keys);
        if (!s->mfa_serial || !read_role(folder, s, c->least_life, deadline, &keys))
            continue;
        *out = keys;
        keys = (struct aws_keys){0};
        return i + 1;
    }
    return 0;
}
