/* SPDX-License-Identifier: MIT */
/* auth = file: the first line of a file that no other user may read. */
#include <provider/provider.h>

#include <base/file.h>
#include <base/mem.h>

#define PASSWORD_FILE_MAX 65536

static int file_check(const struct profile *p, struct err *e)
{
    if (profile_str(p, KEY_auth_file))
        return 0;
    (void)err_set(e, ERR_CONFIG, "auth = file needs auth_file");
    return err_hint(e, "set auth_file = ~/path/to/a/file, mode 0600");
}

static int file_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    const char *path = profile_str(p, KEY_auth_file);
    AUTO_BUF(text, PASSWORD_FILE_MAX);

    (void)deadline;
    int got = file_read(path, FILE_PRIVATE, &text, e);
    if (got < 0)
        return -1;
    if (got > 0) {
        AUTO_FREE(char *, name);
        name = path_short(path);
        (void)err_set(e, ERR_CONFIG, "%s: no such file", name);
        return err_hint(e, "write the password into it, mode 0600, or change auth_file");
    }
    out->password = secret_from(buf_str(&text), text.len);
    secret_keep_line(out->password);
    return 0;
}

static void file_describe(const struct profile *p, struct buf *out)
{
    AUTO_FREE(char *, name);

    name = path_short(profile_str(p, KEY_auth_file));
    buf_printf(out, "first line of %s", name);
}

const struct provider provider_file = {
    .name = "file", .check = file_check, .get = file_get, .describe = file_describe};
