/* SPDX-License-Identifier: MIT */
/* The output of a credential_process gives complete keys, or an error that does not quote the output. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <aws/process_answer.h>
#include <base/buf.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_AWS_KEYS(keys);
    AUTO_BUF(text, PROCESS_ANSWER_MOST);

    if (size > PROCESS_ANSWER_MOST)
        return 0;
    buf_add(&text, data, size);
    if (process_answer_parse(buf_str(&text), text.len, 1000000000, &keys, &e) == 0) {
        if (!keys.id || !*keys.id || !keys.secret || secret_len(keys.secret) == 0 ||
            (keys.token && secret_len(keys.token) == 0) || (keys.expires_at && keys.expires_at <= 1000000000))
            abort();
    } else if (e.code != ERR_DATA ||
               (strncmp(e.msg, "printed ", 8) != 0 && strncmp(e.msg, "did not print ", 14) != 0)) {
        abort();
    }
    return 0;
}
