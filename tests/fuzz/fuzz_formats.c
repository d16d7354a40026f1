/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the writers of all formats with a user, a password and a database of any bytes. Apart from memory
 * errors, it checks that a refusal names the format, and that broker's URL parser reads back what `url`
 * wrote.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <model/url.h>
#include <output/format.h>

static void check_url(const char *url, const struct connection *c)
{
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    if (url_parse(url, &p, &e) < 0)
        return; /* a value that broker allows in no key */
    if (!text_equal(profile_str(&p, KEY_user), *c->user ? c->user : NULL) ||
        !text_equal(profile_str(&p, KEY_database), *c->database ? c->database : NULL) ||
        (p.password && !secret_equal(p.password, c->password)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE(char *, user);
    AUTO_FREE(char *, database);
    AUTO_SECRET(password);

    if (size < 4 || size > 4096)
        return 0;
    size_t third = (size - 1) / 3;
    user = mem_strndup((const char *)data + 1, third);
    database = mem_strndup((const char *)data + 1 + third, third);
    password = secret_from(data + 1 + 2 * third, third);
    struct connection c = {.user = user,
                           .password = password,
                           .host = "h",
                           .port = 1,
                           .database = database,
                           .system_ca = true,
                           .tls = data[0] % 3};
    struct format_how how = {
        .endpoint = &c, .shell = data[0] & 8 ? SHELL_FISH : SHELL_SH, .masked = data[0] & 16};
    for (size_t i = 0; format_table[i]; i++) {
        AUTO_BUF(text, 1 << 20);
        struct err e = ERR_INIT;
        if (format_write(format_table[i], &c, &how, &text, &e) < 0) {
            if (!strstr(e.msg, format_table[i]->name) || !e.hint[0])
                abort();
        } else if (text_equal(format_table[i]->name, "url") && !how.masked) {
            text.data[text.len - 1] = '\0';
            check_url(buf_str(&text), &c);
        }
    }
    return 0;
}
