/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes known_hosts files. Apart from memory errors, it checks that the result of a line lies inside the
 * line, that no line hides the one after it, and that a key that is accepted has a known type.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/buf.h>
#include <ssh/known_hosts.h>

#define LAST                                                                                                 \
    "\nlast.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n"

static void check_key(const struct known_key *key, unsigned long after)
{
    AUTO_BUF(print, 128);

    if (key->line <= after || !key->names || !*key->names || strpbrk(key->names, " \t\n") || !key->len ||
        !key->type || host_key_type(key->blob, key->len) != key->type || !host_key_label(key->type))
        abort();
    host_key_fingerprint(&print, key->blob, key->len);
    if (print.len != strlen("SHA256:") + 43)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_KNOWN_HOSTS(known);
    AUTO_BUF(text, 1 << 24);
    unsigned long line = 0;

    buf_add(&text, data, size);
    buf_puts(&text, LAST);
    known_hosts_parse(&known, "f", buf_str(&text), text.len, "last.example", "last");
    for (size_t i = 0; i < known.count; i++) {
        check_key(&known.key[i], line);
        line = known.key[i].line;
    }
    if (!known.count || !known.key[known.count - 1].ours ||
        strcmp(known.key[known.count - 1].names, "last.example") != 0)
        abort();
    return 0;
}
