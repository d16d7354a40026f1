/* SPDX-License-Identifier: MIT */
/* Reads the first line of a user's file that other users cannot read. */
#include <string.h>

#include <base/file.h>
#include <base/mem.h>

#include "method.h"
#include "token.h"

#define FILE_MOST 65536

int vault_read_file(const char *path, enum key key, struct secret **out, struct err *e)
{
    AUTO_BUF(text, FILE_MOST);
    AUTO_FREE(char *, shown);
    int got = file_read(path, FILE_PRIVATE, &text, e);

    if (got < 0)
        return -1;
    shown = path_short(path);
    if (got > 0) {
        (void)err_set(e, ERR_CONFIG, "no such file");
        (void)err_what(e, "%s", shown);
        return err_hint(e, "check %s", key_infos[key].name);
    }
    *out = secret_from(buf_str(&text), text.len);
    secret_keep_line(*out);
    const char *fault = secret_len(*out) ? vault_token_fault(secret_bytes(*out)) : "nothing";
    if (!fault)
        return 0;
    (void)err_set(e, ERR_CONFIG, "its first line contains %s", fault);
    (void)err_what(e, "%s", shown);
    return err_hint(e, "%s must contain only that one word", key_infos[key].name);
}
