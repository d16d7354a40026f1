/* SPDX-License-Identifier: MIT */
/*
 * Reads known_hosts files as ssh does. Lines that ssh would skip are skipped, so that an invalid line does
 * not hide the lines after it (libssh2 stops there, and supports neither wildcards nor markers). host_key.c
 * makes the decisions.
 */
#include "known_hosts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <ssh/wire_format.h>

#define FILE_MOST (16 * 1024 * 1024)
#define BLOB_MOST 16384 /* an RSA key of 16384 bits has 2 KiB */
#define HASH_BYTES 20   /* size of a SHA-1 digest */
#define HASHED "|1|"

static const struct {
    const char *name, *label;
} types[] = {
    {"ssh-ed25519", "ED25519"},
    {"ssh-rsa", "RSA"},
    {"ecdsa-sha2-nistp256", "ECDSA"},
    {"ecdsa-sha2-nistp384", "ECDSA"},
    {"ecdsa-sha2-nistp521", "ECDSA"},
    {"sk-ssh-ed25519@openssh.com", "ED25519-SK"},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK"},
    {"ssh-dss", "DSA"},
};

static const struct {
    const char *text;
    enum known_mark mark;
} marks[] = {{"@cert-authority", KNOWN_AUTHORITY}, {"@revoked", KNOWN_REVOKED}};

void known_hosts_release(struct known_hosts *k)
{
    for (size_t i = 0; i < k->count; i++) {
        free(k->key[i].names);
        free(k->key[i].blob);
    }
    for (size_t i = 0; i < k->files; i++)
        free(k->file[i]);
    free(k->key);
    free(k->file);
    *k = (struct known_hosts){0};
}

const char *host_key_type(const void *blob, size_t n)
{
    const unsigned char *at = blob, *type;
    size_t len;

    if (!wire_string(&at, at + n, &type, &len))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strlen(types[i].name) == len && !memcmp(types[i].name, type, len))
            return types[i].name;
    }
    return NULL;
}

const char *host_key_label(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (text_equal(types[i].name, type))
            return types[i].label;
    }
    return type;
}

void host_key_fingerprint(struct buf *out, const void *blob, size_t n)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[sodium_base64_ENCODED_LEN(sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];

    (void)crypto_hash_sha256(hash, blob, n);
    buf_printf(
        out, "SHA256:%s",
        sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING));
}

char *known_hosts_name(const char *host, unsigned port)
{
    char *name = port == 22 || !port ? mem_strdup(host) : mem_printf("[%s]:%u", host, port);

    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return name;
}

static void hash_name(const unsigned char salt[HASH_BYTES], const char *name, unsigned char out[HASH_BYTES])
{
    unsigned len = HASH_BYTES;

    (void)HMAC(EVP_sha1(), salt, HASH_BYTES, (const unsigned char *)name, strlen(name), out, &len);
}

void known_hosts_write_name(struct buf *out, const char *name, bool hashed)
{
    unsigned char salt[HASH_BYTES], hash[HASH_BYTES];
    char text[sodium_base64_ENCODED_LEN(HASH_BYTES, sodium_base64_VARIANT_ORIGINAL)];

    if (!hashed) {
        buf_puts(out, name);
        return;
    }
    randombytes_buf(salt, sizeof salt);
    hash_name(salt, name, hash);
    buf_printf(out, HASHED "%s|",
               sodium_bin2base64(text, sizeof text, salt, sizeof salt, sodium_base64_VARIANT_ORIGINAL));
    buf_puts(out, sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL));
}

void known_hosts_write_key(struct buf *out, const void *blob, size_t n)
{
    buf_printf(out, "%s ", host_key_type(blob, n));
    base64_encode(blob, n, out);
}

/* Matches a pattern: `*` is any number of characters, `?` any one character; case is ignored. `name` is in
 * lower case. */
static bool pattern_matches(const char *name, const char *p, const char *end)
{
    const char *star = NULL, *from = name;

    while (*name) {
        if (p < end && *p == '*') {
            star = p++;
            from = name;
        } else if (p < end && (*p == '?' || tolower((unsigned char)*p) == *name)) {
            p++;
            name++;
        } else if (star) {
            p = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

/* A negated pattern that matches decides, whatever its position. */
static bool list_matches(const char *name, const char *list)
{
    bool found = false;

    for (const char *p = list, *end; *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, ",");
        bool negated = *p == '!';
        if (!pattern_matches(name, negated ? p + 1 : p, end))
            continue;
        if (negated)
            return false;
        found = true;
    }
    return found;
}

static bool decode_exactly(const char *text, size_t n, unsigned char out[HASH_BYTES])
{
    size_t len;

    return sodium_base642bin(out, HASH_BYTES, text, n, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) ==
               0 &&
           len == HASH_BYTES;
}

static bool hash_matches(const char *name, const char *hashed)
{
    unsigned char salt[HASH_BYTES], theirs[HASH_BYTES], ours[HASH_BYTES];
    const char *from = hashed + strlen(HASHED), *bar = strchr(from, '|');

    if (!bar || !decode_exactly(from, (size_t)(bar - from), salt) ||
        !decode_exactly(bar + 1, strlen(bar + 1), theirs))
        return false;
    hash_name(salt, name, ours);
    return !memcmp(ours, theirs, HASH_BYTES);
}

static bool names_match(const char *name, const char *names)
{
    if (!name)
        return false;
    return *names == '|' ? text_starts(names, HASHED) && hash_matches(name, names)
                         : list_matches(name, names);
}

/* Returns the next field of a line, NUL-terminated in place, or NULL at the end of the line. */
static char *next_field(char **at)
{
    char *from = *at + strspn(*at, " \t");

    *at = from + strcspn(from, " \t");
    if (**at)
        *(*at)++ = '\0';
    return *from ? from : NULL;
}

static bool take_key(struct known_key *key, const char *type, const char *text)
{
    size_t n = strlen(text);

    if (n > BLOB_MOST)
        return false;
    key->blob = mem_alloc(1, n + 1);
    if (sodium_base642bin(key->blob, n + 1, text, n, "\r", &key->len, NULL, sodium_base64_VARIANT_ORIGINAL) <
        0)
        return false;
    key->type = host_key_type(key->blob, key->len);
    return text_equal(key->type, type);
}

/* Parses a line. Returns whether it is valid. */
static bool parse_line(char *line, const char *name, const char *bare, struct known_key *key)
{
    char *names = next_field(&line), *type, *text;
    bool marked = names && *names == '@';

    if (!names || *names == '#')
        return false;
    if (marked) {
        size_t i = 0;
        while (i < ARRAY_LEN(marks) && strcmp(names, marks[i].text) != 0)
            i++;
        if (i == ARRAY_LEN(marks))
            return false;
        key->mark = marks[i].mark;
        names = next_field(&line);
    }
    type = next_field(&line);
    text = next_field(&line);
    if (!names || *names == '@' || !type || !text || !take_key(key, type, text))
        return false;
    key->ours = names_match(name, names);
    key->bare = names_match(bare, names);
    key->names = mem_strdup(names);
    return true;
}

static void add_key(struct known_hosts *k, const struct known_key *key)
{
    if ((k->count & (k->count - 1)) == 0)
        k->key = mem_grow(k->key, k->count ? 2 * k->count : 1, sizeof *k->key);
    k->key[k->count++] = *key;
}

void known_hosts_parse(struct known_hosts *k, const char *path, const char *text, size_t n, const char *name,
                       const char *bare)
{
    const char *end = text + n;
    unsigned long number = 0;

    k->file = mem_grow(k->file, k->files + 1, sizeof *k->file);
    k->file[k->files] = mem_strdup(path);
    for (const char *p = text, *stop; p < end; p = stop + 1) {
        struct known_key key = {.file = k->file[k->files], .line = ++number};
        AUTO_FREE(char *, line);
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        line = mem_strndup(p, (size_t)(stop - p));
        if (parse_line(line, name, bare, &key))
            add_key(k, &key);
        else
            free(key.blob);
    }
    k->files++;
}

int known_hosts_read(struct known_hosts *k, const char *path, const char *name, const char *bare,
                     struct err *e)
{
    AUTO_BUF(text, FILE_MOST);
    int got = file_read(path, FILE_ANY, &text, e);

    if (got < 0 && e->code == ERR_CONFIG)
        return -1;
    if (got == 0)
        known_hosts_parse(k, path, buf_str(&text), text.len, name, bare);
    err_clear(e);
    return 0;
}
