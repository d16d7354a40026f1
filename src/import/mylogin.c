/* SPDX-License-Identifier: MIT */
/*
 * Imports ~/.mylogin.cnf as mysql_config_editor writes it: 4 unused bytes, 20 bytes from which the key is
 * made, then records of a length (32 bits, little-endian) and one line in AES-128-ECB. The key is in the
 * file, so this is obfuscation only.
 */
#include "parts.h"

#include <string.h>

#include <base/clock.h>
#include <base/text.h>
#include <ipc/http.h>

#define HELPER_MS 20000
#define SEED 4
#define RECORDS 24
#define KEY_BYTES 16
#define LINE_MOST 4096

static bool is_mylogin(const char *text, size_t n)
{
    if (n < RECORDS || memcmp(text, "\0\0\0\0", SEED) != 0)
        return false;
    for (size_t i = SEED; i < RECORDS; i++)
        if ((unsigned char)text[i] > 31)
            return false;
    return true;
}

static size_t length_at(const char *s)
{
    const unsigned char *b = (const unsigned char *)s;

    return b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
}

static int decrypt_all(const struct buf *text, const unsigned char *key, struct buf *plain, struct err *e)
{
    for (size_t at = RECORDS; at < text->len;) {
        size_t n = at + 4 <= text->len ? length_at(text->data + at) : 0;
        if (n == 0 || n % KEY_BYTES || n > LINE_MOST || n > text->len - at - 4)
            return err_set(e, ERR_DATA, "a line has the wrong length");
        if (http_decrypt(key, NULL, text->data + at + 4, n, plain, clock_deadline(HELPER_MS, CLOCK_NEVER),
                         e) < 0)
            return -1;
        at += 4 + n;
    }
    return memchr(buf_str(plain), '\0', plain->len) ? err_set(e, ERR_DATA, "a line contains a NUL byte") : 0;
}

static int read_mylogin(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    unsigned char key[KEY_BYTES] = {0};
    AUTO_BUF(plain, IMPORT_BYTES);

    (void)path;
    for (size_t i = SEED; i < RECORDS; i++)
        key[(i - SEED) % KEY_BYTES] ^= (unsigned char)text->data[i];
    if (decrypt_all(text, key, &plain, e) < 0)
        return -1;
    if (plain.len)
        option_groups(&plain, true, list);
    return 0;
}

const struct import_format import_mylogin = {"mylogin", is_mylogin, read_mylogin};
