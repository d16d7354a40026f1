/* SPDX-License-Identifier: MIT */
/* Parses the JSON that a credential_process prints. The parser is strict: one object, with Version 1 and the
 * right types. */
#include "process_answer.h"

#include <string.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/mem.h>
#include <model/json.h>

#define ID_MOST 1024

/* Reads a string of 1 to `most` bytes without NUL. If `may_miss`, an absent, null or empty value sets *out to
 * NULL. */
static int take_string(const json_t *root, const char *key, bool may_miss, size_t most, const char **out,
                       struct err *e)
{
    const json_t *value = json_object_get(root, key);

    *out = NULL;
    if (may_miss && (!value || json_is_null(value)))
        return 0;
    if (!json_is_string(value))
        return err_set(e, ERR_DATA, value ? "printed a \"%s\" that is not a string" : "printed no \"%s\"",
                       key);
    size_t n = json_string_length(value);
    if (strlen(json_string_value(value)) != n || n > most || (n == 0 && !may_miss))
        return err_set(e, ERR_DATA, n ? "printed an invalid \"%s\"" : "printed an empty \"%s\"", key);
    *out = n ? json_string_value(value) : NULL;
    return 0;
}

static int take_expiration(const json_t *root, time_t now, struct aws_keys *out, struct err *e)
{
    AUTO_BUF(ago, 64);
    const char *text;

    if (take_string(root, "Expiration", true, 64, &text, e) < 0)
        return -1;
    if (!text)
        return 0;
    if (!clock_parse_utc(text, &out->expires_at))
        return err_set(e, ERR_DATA, "printed an \"Expiration\" that is not a time");
    if (out->expires_at > now)
        return 0;
    clock_format_duration(&ago, (int64_t)(now - out->expires_at) * 1000);
    return err_set(e, ERR_DATA, "printed keys that expired %s ago", buf_str(&ago));
}

int process_answer_parse(const char *text, size_t n, time_t now, struct aws_keys *out, struct err *e)
{
    const char *id, *secret, *token, *account;
    AUTO_JSON(root);

    json_use_wiping_memory();
    root = json_loadb(text, n, 0, NULL);
    if (!json_is_object(root))
        return err_set(e, ERR_DATA, n ? "did not print a JSON object" : "printed nothing");
    const json_t *version = json_object_get(root, "Version");
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        return err_set(e, ERR_DATA, "did not print \"Version\": 1");
    if (take_string(root, "AccessKeyId", false, ID_MOST, &id, e) < 0 ||
        take_string(root, "SecretAccessKey", false, SECRET_MAX / 2, &secret, e) < 0 ||
        take_string(root, "SessionToken", true, SECRET_MAX / 2, &token, e) < 0 ||
        take_string(root, "AccountId", true, ID_MOST, &account, e) < 0 ||
        take_expiration(root, now, out, e) < 0)
        return -1;
    out->id = mem_strdup(id);
    out->secret = secret_from(secret, strlen(secret));
    out->token = token ? secret_from(token, strlen(token)) : NULL;
    out->account = mem_strdup(account);
    return 0;
}
