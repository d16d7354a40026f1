/* SPDX-License-Identifier: MIT */
/* Writes keys in the format of a credential_process. */
#include <protocol/aws.h>

#include <base/clock.h>
#include <model/json.h>

static void add(json_t *root, const char *key, const char *value)
{
    if (value)
        (void)json_object_set_new(root, key, json_string(value));
}

int aws_process_print(const struct access_keys *keys, struct buf *out, struct err *e)
{
    AUTO_BUF(expires, 64);
    AUTO_JSON(root);

    json_use_wiping_memory();
    if (keys->expires_at)
        clock_format_utc(&expires, keys->expires_at);
    root = json_pack("{s:i,s:s,s:s}", "Version", 1, "AccessKeyId", keys->id, "SecretAccessKey",
                     secret_bytes(keys->secret));
    add(root, "SessionToken", keys->token ? secret_bytes(keys->token) : NULL);
    add(root, "Expiration", keys->expires_at ? buf_str(&expires) : NULL);
    add(root, "AccountId", keys->account);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (!text)
        return err_set(e, ERR_DATA, "the keys are not UTF-8");
    buf_puts(out, text);
    buf_putc(out, '\n');
    json_string_free(text);
    return 0;
}
