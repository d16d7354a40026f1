/* SPDX-License-Identifier: MIT */
/*
 * The algorithms offered to the server: those of libssh2 that are safe and that the user's ssh allows, in the
 * order of the user's ssh. SHA-1 is not offered except for HMAC-SHA1, which is still secure; nor CBC; nor
 * groups over 4096 bits or chosen by the server, which would use the CPU for seconds. Types of host key that
 * known_hosts has for this host come first, because a known key must be negotiated.
 */
#include "methods.h"

#include <string.h>

#include <base/mem.h>

#define LIST_MAX 1024

const char methods_kex[] =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
#define CIPHERS "aes128-ctr,aes192-ctr,aes256-ctr"
#define MACS "hmac-sha2-256,hmac-sha2-512,hmac-sha1"
#define HOST_KEYS "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
#if LIBSSH2_VERSION_NUM >= 0x010b00
const char methods_ciphers[] =
    "chacha20-poly1305@openssh.com," CIPHERS ",aes128-gcm@openssh.com,aes256-gcm@openssh.com";
const char methods_macs[] =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com," MACS ",hmac-sha1-etm@openssh.com";
const char methods_host_keys[] = HOST_KEYS ",rsa-sha2-512,rsa-sha2-256";
#else
const char methods_ciphers[] = CIPHERS, methods_macs[] = MACS, methods_host_keys[] = HOST_KEYS;
#endif

bool list_has(const char *list, const char *word)
{
    AUTO_WORDS(words);

    words_split(&words, list, ',');
    return words_have(&words, word);
}

static void list_add(struct buf *list, const char *word)
{
    buf_printf(list, "%s%s", list->len ? "," : "", word);
}

void list_both(struct buf *out, const char *first, const char *second)
{
    AUTO_WORDS(words);

    words_split(&words, first, ',');
    for (size_t i = 0; i < words.count; i++) {
        if (list_has(second, words.word[i]))
            list_add(out, words.word[i]);
    }
}

/* known_hosts lists an RSA key by its oldest name. */
static bool is_known_type(const struct words *known, const char *type)
{
    return words_have(known, text_starts(type, "rsa-sha2-") ? "ssh-rsa" : type);
}

static bool host_keys(const struct ssh_settings *settings, struct buf *out, struct buf *why)
{
    const char *allowed = settings->host_key_algorithms;
    AUTO_WORDS(known);
    AUTO_WORDS(usable);
    AUTO_BUF(others, LIST_MAX);
    bool authority = false, any_known = false;

    host_key_types(settings, &known, &authority);
    words_split(&usable, allowed ? allowed : methods_host_keys, ',');
    for (size_t i = 0; i < usable.count; i++) {
        const char *type = usable.word[i];
        if (!list_has(methods_host_keys, type))
            continue;
        bool is_known = is_known_type(&known, type);
        list_add(is_known ? out : &others, type);
        any_known |= is_known;
    }
    if (others.len)
        list_add(out, buf_str(&others));
    if (authority)
        buf_puts(why, "host certificates (@cert-authority)");
    else if (known.count && !any_known)
        buf_printf(why, "the known key of the host has type %.60s", known.word[0]);
    else if (!out->len)
        buf_puts(why, "HostKeyAlgorithms");
    return out->len && !authority && (any_known || !known.count);
}

bool methods_set(const struct ssh_settings *settings, LIBSSH2_SESSION *ssh, struct buf *why)
{
    const struct {
        const char *option, *ours, *allowed;
        int method[2];
    } kinds[] = {
        {"KexAlgorithms", methods_kex, settings->kex, {LIBSSH2_METHOD_KEX, -1}},
        {"Ciphers", methods_ciphers, settings->ciphers, {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC}},
        {"MACs", methods_macs, settings->macs, {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC}},
    };
    AUTO_BUF(keys, LIST_MAX);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        AUTO_BUF(both, LIST_MAX);
        list_both(&both, kinds[i].allowed ? kinds[i].allowed : kinds[i].ours, kinds[i].ours);
        if (!both.len) {
            buf_printf(why, "%s %.300s", kinds[i].option, kinds[i].allowed);
            return false;
        }
        for (size_t m = 0; ssh && m < 2 && kinds[i].method[m] >= 0; m++)
            (void)libssh2_session_method_pref(ssh, kinds[i].method[m], buf_str(&both));
    }
    if (!host_keys(settings, &keys, why))
        return false;
    if (ssh)
        (void)libssh2_session_method_pref(ssh, LIBSSH2_METHOD_HOSTKEY, buf_str(&keys));
    return true;
}
