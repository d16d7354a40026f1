/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the output of `ssh -G`. Apart from memory errors, it checks that settings that are accepted have a
 * host, a user and a port, and that the paths of files are absolute.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <ssh/config.h>

static void check_files(const struct words *w)
{
    if (w->count > 64)
        abort();
    for (size_t i = 0; i < w->count; i++) {
        if (*w->word[i] != '/' || strchr(w->word[i], '\n'))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssh_settings s = {.alias = mem_strdup("b")};
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    text = mem_alloc(size + 1, 1);
    if (size)
        memcpy(text, data, size);
    if (ssh_config_parse(&s, text, size, &e) == 0) {
        if (!s.host || !*s.host || !s.user || !s.port || s.port > 65535)
            abort();
        check_files(&s.identity_files);
        check_files(&s.certificate_files);
        if (s.identity_agent && *s.identity_agent != '/')
            abort();
    } else if (!e.code || !e.msg[0]) {
        abort();
    }
    ssh_settings_release(&s);
    return 0;
}
