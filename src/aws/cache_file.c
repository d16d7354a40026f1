/* SPDX-License-Identifier: MIT */
/*
 * The JSON cache files of AWS's tools. Unknown fields are preserved, because other programs and later
 * versions may need them. The callers know the fields they use.
 */
#include "cache_file.h"

#include <string.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "call.h"

#define ID_MOST 1024
#define KEYS_MARGIN (15 * 60)

json_t *cache_file_parse(const char *text, size_t n)
{
    json_use_wiping_memory();
    json_t *root = json_loadb(text, n, 0, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

json_t *cache_file_read(const char *path)
{
    AUTO_BUF(text, CACHE_FILE_MOST);
    struct err e = ERR_INIT;
    int got = file_read(path, FILE_ANY, &text, &e);

    if (got < 0)
        log_step("aws", "not read: %s: %s", path, e.msg);
    if (got != 0)
        return NULL;
    json_t *root = cache_file_parse(buf_str(&text), text.len);
    if (!root)
        log_step("aws", "not read: %s: not a JSON object", path);
    return root;
}

int cache_file_write(const char *path, const json_t *root, struct err *e)
{
    char *text = json_dumps(root, JSON_ENSURE_ASCII);

    if (!text)
        err_out_of_memory();
    int result = file_write(path, text, strlen(text), 0600, e);
    json_string_free(text);
    return result;
}

const char *cache_file_text(const json_t *root, const char *key)
{
    const char *value = json_string_value(json_object_get(root, key));

    return value && *value ? value : NULL;
}

struct secret *cache_file_secret(const json_t *root, const char *key)
{
    const char *value = cache_file_text(root, key);
    size_t n = value ? strlen(value) : 0;

    return n && n <= SECRET_MAX / 2 ? secret_from(value, n) : NULL;
}

bool cache_file_time(const json_t *root, const char *key, time_t *out)
{
    const char *value = cache_file_text(root, key);

    return value && aws_time_parse(value, out);
}

bool cache_file_keys(const json_t *root, struct aws_keys *out)
{
    const json_t *keys = json_object_get(root, "Credentials");
    const char *id = cache_file_text(keys, "AccessKeyId");
    AUTO_SECRET(secret);
    AUTO_SECRET(token);
    time_t expires;

    secret = cache_file_secret(keys, "SecretAccessKey");
    token = cache_file_secret(keys, "SessionToken");
    if (!id || strlen(id) > ID_MOST || !secret || !token || !cache_file_time(keys, "Expiration", &expires) ||
        expires - time(NULL) < KEYS_MARGIN)
        return false;
    *out = (struct aws_keys){.id = mem_strdup(id),
                             .secret = secret,
                             .token = token,
                             .account = mem_strdup(cache_file_text(keys, "AccountId")),
                             .expires_at = expires};
    secret = token = NULL;
    return true;
}

void cache_file_put(json_t *root, const char *key, const char *value)
{
    /* Invalid UTF-8 cannot be stored in JSON; AWS's tokens are ASCII. */
    if (json_object_set_new(root, key, json_string(value)) < 0)
        (void)json_object_del(root, key);
}

void cache_file_put_time(json_t *root, const char *key, time_t value)
{
    AUTO_BUF(text, 64);

    clock_format_utc(&text, value);
    cache_file_put(root, key, buf_str(&text));
}

int cache_file_lock(const char *path, int64_t deadline, struct file_lock *out, struct err *e)
{
    char name[33];

    text_hash(path, strlen(path), name);
    return file_lock_or_none(name, NULL, deadline, out, e);
}

int cache_file_path(const char *folder, const char *name, char **out, struct err *e)
{
    const char *home = path_home();

    if (!home) {
        (void)err_set(e, ERR_CONFIG, "no home folder, so no %s", folder);
        return err_hint(e, "set HOME");
    }
    *out = mem_printf("%s/%s/%s", home, folder, name);
    return 0;
}
