/* SPDX-License-Identifier: MIT */
/*
 * Parses private key files: OpenSSH's own format (PROTOCOL.key), PEM and PKCS #8. bcrypt, which encrypts
 * files in OpenSSH's format, is available only inside libssh2, so an encrypted RSA key in such a file cannot
 * be used here. key_rsa.c signs.
 */
#include <ssh/key.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <ssh/wire_format.h>

#include "key_rsa.h"

#define PUB_MAX 32768
#define OPENSSH "-----BEGIN OPENSSH PRIVATE KEY-----"

void ssh_keys_add(struct ssh_keys *keys, struct ssh_key *key)
{
    keys->key = mem_grow(keys->key, keys->count + 1, sizeof *keys->key);
    keys->key[keys->count++] = key;
}

void ssh_keys_remove(struct ssh_keys *keys, size_t index)
{
    ssh_key_free(keys->key[index]);
    keys->count--;
    memmove(keys->key + index, keys->key + index + 1, (keys->count - index) * sizeof *keys->key);
}

void ssh_keys_release(struct ssh_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        ssh_key_free(keys->key[i]);
    free(keys->key);
    *keys = (struct ssh_keys){0};
}

void ssh_key_free(struct ssh_key *k)
{
    if (!k)
        return;
    free(k->name);
    buf_release(&k->blob);
    secret_free(k->text);
    secret_free(k->phrase);
    free(k);
}

static struct ssh_key *key_new(const char *name)
{
    struct ssh_key *k = mem_alloc(1, sizeof *k);

    k->name = mem_strdup(name);
    k->blob = (struct buf)BUF_INIT(SSH_BLOB_MAX);
    return k;
}

bool ssh_key_is_rsa(const struct ssh_key *k)
{
    return text_equal(k->type, "ssh-rsa");
}

static bool is_name(const unsigned char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (name[i] < '!' || name[i] > '~')
            return false;
    }
    return n > 0;
}

/* The type is at the start of the blob; a certificate's type ends in -cert-v01@openssh.com. */
static int set_blob(struct ssh_key *k, const unsigned char *blob, size_t n)
{
    const unsigned char *at = blob, *name;
    size_t length;

    if (n > SSH_BLOB_MAX || !wire_string(&at, blob + n, &name, &length) || length >= sizeof k->type ||
        !is_name(name, length))
        return -1;
    buf_clear(&k->blob);
    buf_add(&k->blob, blob, n);
    memcpy(k->type, name, length);
    k->type[length] = '\0';
    return 0;
}

static void set_lacks(struct ssh_key *k)
{
    if (text_starts(k->type, "sk-"))
        k->lacks = "a FIDO key";
    else if (strstr(k->type, "-cert-v01@"))
        k->lacks = "a certificate";
    else if (ssh_key_is_rsa(k) && k->openssh && k->encrypted)
        k->lacks = "an RSA key with a passphrase in OpenSSH's own format";
    else if (*k->type && !ssh_key_is_rsa(k) && !text_equal(k->type, "ssh-ed25519") &&
             !text_starts(k->type, "ecdsa-sha2-nistp"))
        k->lacks = "a key of an unknown type";
}

struct ssh_key *ssh_key_in_agent(const unsigned char *blob, size_t n, const char *comment, size_t length)
{
    AUTO_BUF(name, 1024);

    text_sanitise_line(&name, comment, length < 200 ? length : 200);
    struct ssh_key *k = key_new(buf_str(&name));
    k->in_agent = true;
    if (set_blob(k, blob, n) < 0) {
        ssh_key_free(k);
        return NULL;
    }
    set_lacks(k);
    return k;
}

static int openssh_parse(struct ssh_key *k, const char *text, struct err *e)
{
    AUTO_BUF(body, SSH_KEY_MAX);
    struct openssh_key parts;

    if (openssh_key_split(text, &body, &parts) < 0 || set_blob(k, parts.blob, parts.blob_length) < 0)
        return err_set(e, ERR_DATA, "not a private key as OpenSSH writes it");
    k->openssh = true;
    k->encrypted = parts.encrypted;
    return 0;
}

/* Parses "ssh-ed25519 AAAA... comment". */
static void pub_parse(struct ssh_key *k, const char *pub)
{
    const char *data = pub ? strchr(pub, ' ') : NULL;
    AUTO_BUF(blob, SSH_BLOB_MAX);

    if (data && base64_decode(data + 1, strcspn(data + 1, " \r\n"), &blob) == 0)
        (void)set_blob(k, (const unsigned char *)buf_str(&blob), blob.len);
}

/* Returns the key in a .pub file, whose private key the agent may have, or NULL. */
static struct ssh_key *half_of(const char *name, const char *text)
{
    struct ssh_key *k = key_new(name);

    pub_parse(k, text);
    k->half = *k->type && text_starts(text, k->type);
    if (k->half)
        return k;
    ssh_key_free(k);
    return NULL;
}

/* A certificate in the .pub file is assumed to be for the same key. */
static bool is_stray(const struct ssh_key *k, const char *pub)
{
    struct ssh_key *other = pub ? half_of(k->name, pub) : NULL;
    bool differs =
        other && !strstr(other->type, "-cert-v01@") &&
        (other->blob.len != k->blob.len || memcmp(other->blob.data, k->blob.data, k->blob.len) != 0);

    ssh_key_free(other);
    return differs;
}

void ssh_key_add_stray(const struct ssh_key *k, struct err *e)
{
    AUTO_FREE(char *, shown);
    AUTO_BUF(path, 8192);

    if (!k->stray)
        return;
    shown = path_short(k->name);
    text_quote_sh(&path, k->name);
    (void)err_detail(e, "%s.pub does not belong to the key %s: ssh-keygen -y -f %s > %s.pub", shown, shown,
                     buf_str(&path), buf_str(&path));
}

void ssh_key_mend_half(const struct ssh_key *k, struct buf *out)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, shown);
    size_t n = strlen(k->name);

    path = mem_strndup(k->name, n > 4 && text_equal(k->name + n - 4, ".pub") ? n - 4 : 0);
    shown = path_short(path);
    buf_printf(out, "set identity to %s", *path && access(path, F_OK) == 0 ? shown : "the private key");
}

static int pem_parse(struct ssh_key *k, const char *text, const char *pub, struct err *e)
{
    if (strstr(text, "PuTTY-User-Key-File")) {
        (void)err_set(e, ERR_DATA, "a PuTTY key");
        return err_hint_sh(e, "puttygen %s -O private-openssh -o NEW-FILE", k->name);
    }
    if (!strstr(text, "PRIVATE KEY-----"))
        return err_set(e, ERR_DATA, "not a private key");
    k->encrypted = strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") || strstr(text, "Proc-Type: 4,ENCRYPTED");
    pub_parse(k, pub);
    if (k->encrypted)
        return 0;
    return rsa_key_examine(k) < 0 ? err_set(e, ERR_DATA, "not a private key that OpenSSL can read") : 0;
}

/* Reports damage to key files by editors and copying; ssh only says "error in libcrypto". */
static int form_check(const char *path, const char *text, struct err *e)
{
    static const char bom[] = "\xef\xbb\xbf";
    const char *begin = strstr(text, "-----BEGIN ");

    if (text_starts(text, bom)) {
        (void)err_set(e, ERR_DATA, "it begins with a byte order mark");
        return err_hint_sh(e, "sed -i '1s/^\\xEF\\xBB\\xBF//' %s", path);
    }
    if (begin && (begin == text ? 0 : strchr(" \t", begin[-1]) != NULL)) {
        (void)err_set(e, ERR_DATA, "its lines are indented");
        return err_hint_sh(e, "sed -i 's/^[[:blank:]]*//' %s", path);
    }
    return 0;
}

int ssh_key_parse(const char *name, struct secret *text, const char *pub, struct ssh_key **out, struct err *e)
{
    struct ssh_key *k = key_new(name);
    int result;

    k->text = text;
    if (form_check(name, secret_bytes(text), e) < 0)
        result = -1;
    else if (strstr(secret_bytes(text), OPENSSH))
        result = openssh_parse(k, secret_bytes(text), e);
    else
        result = pem_parse(k, secret_bytes(text), pub, e);
    if (result < 0) {
        ssh_key_free(k);
        return -1;
    }
    if (k->openssh)
        k->stray = is_stray(k, pub);
    set_lacks(k);
    *out = k;
    return 0;
}

static int check_mode(const char *path, struct err *e)
{
    struct stat st;

    if (stat(path, &st) < 0 || st.st_uid != getuid() || !(st.st_mode & 077))
        return 0;
    (void)err_set(e, ERR_CONFIG, "permissions %04o are too open: the key is not used",
                  (unsigned)st.st_mode & 07777);
    return err_hint_sh(e, "chmod 600 %s", path);
}

int ssh_key_load(const char *path, struct ssh_key **out, struct err *e)
{
    AUTO_BUF(text, SSH_KEY_MAX);
    AUTO_BUF(pub, PUB_MAX);
    AUTO_FREE(char *, pub_path);
    struct err ignored = ERR_INIT;

    int found = file_read(path, FILE_ANY, &text, e);
    if (found < 0)
        return -1;
    pub_path = mem_printf("%s.pub", path);
    bool has_pub = file_read(pub_path, FILE_ANY, &pub, &ignored) == 0;
    *out = found == 0 ? half_of(path, buf_str(&text)) : has_pub ? half_of(path, buf_str(&pub)) : NULL;
    if (*out || found > 0)
        return *out ? 0 : found;
    if (check_mode(path, e) < 0)
        return -1;
    return ssh_key_parse(path, secret_from(buf_str(&text), text.len), has_pub ? buf_str(&pub) : NULL, out, e);
}

bool ssh_key_unlock(struct ssh_key *k, struct secret *phrase)
{
    secret_free(k->phrase);
    k->phrase = phrase;
    k->unlocked = k->openssh || rsa_key_examine(k) == 0;
    if (!k->unlocked)
        ssh_key_lock(k);
    else
        set_lacks(k);
    return k->unlocked;
}

void ssh_key_lock(struct ssh_key *k)
{
    secret_free(k->phrase);
    k->phrase = NULL;
    k->unlocked = false;
}

void ssh_key_wire_blob(const struct ssh_key *k, struct buf *out)
{
    static const char rsa_sha2[] = "rsa-sha2-512";
    size_t name = 4 + strlen("ssh-rsa");

    if (!ssh_key_is_rsa(k)) {
        buf_add(out, k->blob.data, k->blob.len);
        return;
    }
    wire_put_string(out, rsa_sha2, sizeof rsa_sha2 - 1);
    buf_add(out, k->blob.data + name, k->blob.len - name);
}

void ssh_key_public_line(const struct ssh_key *k, struct buf *out)
{
    if (!k->blob.len)
        return;
    buf_printf(out, "%s ", k->type);
    base64_encode(k->blob.data, k->blob.len, out);
}
