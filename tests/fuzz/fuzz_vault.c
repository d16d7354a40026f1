/* SPDX-License-Identifier: MIT */
/*
 * Answers of Vault: the input is a JSON body, which broker-http's parser parses. broker reads the URL of a
 * login page, a list of errors, a path and a token from it. A URL that is accepted is for a browser and has
 * a state; a message for the terminal is one line of text; an encoded path stays below the folder of the
 * API.
 *
 * fuzz link: src/http/pick.c src/http/wipe.c -lexpat
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <http/pick.h>
#include <vault/auth_url.h>
#include <vault/path.h>
#include <vault/refusal.h>
#include <vault/token.h>

#define FIELD_MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static void read_address(const json_t *body)
{
    AUTO_BUF(url, FIELD_MOST);
    AUTO_SECRET(state);
    struct err e = ERR_INIT;
    bool form = false;

    if (!pick_json(body, "data.auth_url", &url))
        return;
    if (vault_auth_url_read(buf_str(&url), &state, &form, &e) < 0) {
        check(e.code == ERR_PROTOCOL && e.hint[0] && !state);
        return;
    }
    check(state && secret_len(state) > 0 && strstr(buf_str(&url), "state="));
    check(text_starts(buf_str(&url), "https://") || text_starts(buf_str(&url), "http://"));
    check(!strpbrk(buf_str(&url), " \n\r\t"));
}

static void read_words(const json_t *body)
{
    AUTO_BUF(errors, FIELD_MOST);
    char words[1024];

    if (!pick_json_list(body, "errors", &errors))
        return;
    vault_words(buf_str(&errors), words, sizeof words);
    check(memchr(words, '\0', sizeof words) && !strpbrk(words, "\n\r\x1b"));
}

static void read_path(const json_t *body)
{
    AUTO_BUF(written, 4096);
    AUTO_BUF(sent, 16384);
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;

    if (!pick_json(body, "path", &written) || vault_path_take("vault_path", buf_str(&written), &path, &e) < 0)
        return;
    vault_path_encode(&sent, path);
    check(*path && *path != '/' && buf_ok(&sent));
    check(!strstr(buf_str(&sent), "//") && !strstr(buf_str(&sent), "/../") &&
          !strpbrk(buf_str(&sent), "?#\n\r "));
    check(!text_starts(buf_str(&sent), "../") && !text_ends(buf_str(&sent), "/.."));
    const char *role = vault_path_role(path);
    check(!role || *role);
    check((size_t)vault_path_mount_length(path) <= strlen(path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF(body, FIELD_MOST);
    AUTO_BUF(token, FIELD_MOST);

    buf_add(&body, data, size);
    if (!buf_ok(&body))
        return 0;
    json_t *root = pick_parse(&body);
    read_address(root);
    read_words(root);
    read_path(root);
    if (pick_json(root, "auth.client_token", &token) && !vault_token_fault(buf_str(&token)))
        check(!strpbrk(buf_str(&token), "\r\n"));
    json_decref(root);
    return 0;
}
