/* SPDX-License-Identifier: MIT */
/* Imports HeidiSQL's exported settings, one per line: Servers\FOLDER\SESSION\KEY<|||>TYPE<|||>VALUE. Its
 * passwords are only obfuscated by a shift, so they can be read and stored in the keychain. */
#include "parts.h"

#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#define MARK "<|||>"
#define HEAD "Servers\\"

static bool is_heidisql(const char *text, size_t n)
{
    return strlen(text) == n && strstr(text, HEAD) && strstr(text, MARK);
}

/* The values of one session by key; the strings point into the text. */
struct heidi_session {
    const char *path;
    struct {
        const char *key, *value;
    } pair[256];
    size_t count;
};

static const char *value_of(const struct heidi_session *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (text_equal(s->pair[i].key, key))
            return s->pair[i].value;
    return "";
}

static int hex(const char *s, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        const char *digit = s[i] ? strchr("0123456789abcdef", s[i] | 0x20) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int)(digit - "0123456789abcdef");
    }
    return value;
}

static void put_utf8(struct buf *out, int unit)
{
    if (unit >= 0x800) {
        buf_putc(out, (char)(0xe0 | unit >> 12));
        buf_putc(out, (char)(0x80 | (unit >> 6 & 0x3f)));
    } else if (unit >= 0x80) {
        buf_putc(out, (char)(0xc0 | unit >> 6));
    }
    buf_putc(out, unit < 0x80 ? (char)unit : (char)(0x80 | (unit & 0x3f)));
}

/* Decodes a password. Its last digit is the shift, applied to bytes of two hex digits. If that digit is 0,
 * the digit before it is the shift, applied to UTF-16 units of four hex digits. */
static bool unshift(const char *s, struct buf *out)
{
    size_t n = strlen(s), width = 2;

    if (n < 2)
        return n == 0;
    int shift = hex(s + n - 1, 1);
    n--;
    if (shift == 0) {
        shift = hex(s + n - 1, 1);
        n--;
        width = 4;
    }
    if (shift < 0 || n % width)
        return false;
    for (size_t i = 0; i < n; i += width) {
        int unit = hex(s + i, width);
        if (unit < 0)
            return false;
        unit -= shift;
        if (unit < 0)
            unit += width == 2 ? 255 : 65535;
        if (unit >= 0xd800 && unit < 0xe000)
            return false;
        put_utf8(out, unit);
    }
    return buf_ok(out);
}

static void take_password(struct import_entry *entry, const char *shifted)
{
    AUTO_BUF(plain, 4096);

    if (unshift(shifted, &plain))
        import_password(entry, buf_str(&plain), plain.len);
    else
        import_leave(entry, "password", "unknown format");
}

static void take_ssh(struct import_entry *entry, const struct heidi_session *s)
{
    import_put_tunnel(entry, TUNNEL_host, value_of(s, "SSHtunnelHost"));
    if (!text_equal(value_of(s, "SSHtunnelHostPort"), "22"))
        import_put_tunnel(entry, TUNNEL_port, value_of(s, "SSHtunnelHostPort"));
    import_put_tunnel(entry, TUNNEL_user, value_of(s, "SSHtunnelUser"));
    if (*value_of(s, "SSHtunnelPrivateKey"))
        import_leave(entry, "SSHtunnelPrivateKey",
                     "a PuTTY key, which ssh cannot read: convert it with puttygen -O private-openssh");
    if (*value_of(s, "SSHtunnelPassword"))
        import_leave(entry, "SSHtunnelPassword", "broker password set --tunnel NAME");
}

static void take_tls(struct import_entry *entry, const struct heidi_session *s)
{
    static const char *const levels[] = {"preferred", "verify-ca", "verify-identity"};
    static const struct {
        const char *name;
        enum key key;
    } files[] = {{"SSL_CA", KEY_tls_ca},
                 {"SSL_Cert", KEY_tls_cert},
                 {"SSL_Key", KEY_tls_key},
                 {"SSL_Cipher", KEY_tls_ciphers}};
    const char *verification = value_of(s, "SSL_Verification");
    unsigned long level = 2;

    if (!text_equal(value_of(s, "SSL_Active"), "1"))
        return;
    if (*verification && (!text_number(verification, 2, &level)))
        level = 2;
    import_tls(entry, levels[level]);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        import_put(entry, files[i].key, value_of(s, files[i].name));
}

static void take_session(const struct heidi_session *s, struct import_list *list)
{
    const char *type = *value_of(s, "NetType") ? value_of(s, "NetType") : "0",
               *slash = s->path ? strrchr(s->path, '\\') : NULL;
    const char *databases = value_of(s, "Databases");
    AUTO_FREE(char *, database);
    struct import_entry *entry;

    if (*value_of(s, "Folder") || !s->count)
        return;
    if (!text_equal(type, "0") && !text_equal(type, "1") && !text_equal(type, "2") &&
        !text_equal(type, "16")) {
        import_skip(list, slash ? slash + 1 : s->path, "not a MySQL connection");
        return;
    }
    entry = import_add(list, slash ? slash + 1 : s->path);
    if (!entry)
        return;
    entry->group = slash ? mem_strndup(s->path, (size_t)(slash - s->path)) : NULL;
    if (text_equal(type, "1")) {
        import_put(entry, KEY_socket, *value_of(s, "Host") == '/' ? value_of(s, "Host") : "auto");
    } else {
        import_put(entry, KEY_host, value_of(s, "Host"));
        import_port(entry, value_of(s, "Port"));
    }
    import_put(entry, KEY_user, value_of(s, "User"));
    database = mem_strndup(databases, strcspn(databases, ";"));
    import_put(entry, KEY_database, database);
    if (strchr(databases, ';'))
        import_leave(entry, "Databases", "a profile has only one; the first was used");
    if (text_equal(type, "2"))
        take_ssh(entry, s);
    take_tls(entry, s);
    import_put(entry, KEY_compress, text_equal(value_of(s, "Compressed"), "1") ? "yes" : NULL);
    import_put(entry, KEY_cleartext, text_equal(value_of(s, "CleartextPluginEnabled"), "1") ? "yes" : NULL);
    take_password(entry, value_of(s, "Password"));
}

/* HeidiSQL also stores things below a session: its query history, and the filters of tables. */
static bool is_part_of(const struct heidi_session *s, const char *node)
{
    size_t n = s->path ? strlen(s->path) : 0;

    return n && !*value_of(s, "Folder") && text_starts(node, s->path) && node[n] == '\\';
}

static int read_heidisql(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    char *at = text->data, *line;
    struct heidi_session s = {0};

    (void)path;
    (void)e;
    while ((line = line_next(&at)) != NULL) {
        char *mark = strstr(line, MARK), *value = mark ? strstr(mark + 5, MARK) : NULL;
        if (!value || !text_starts(line, HEAD))
            continue;
        *mark = '\0';
        char *node = line + sizeof HEAD - 1, *key = strrchr(node, '\\');
        if (!key)
            continue;
        *key = '\0';
        if (is_part_of(&s, node))
            continue;
        if (!text_equal(s.path, node)) {
            take_session(&s, list);
            s = (struct heidi_session){.path = node};
        }
        if (s.count < ARRAY_LEN(s.pair)) {
            s.pair[s.count].key = key + 1;
            s.pair[s.count++].value = value + 5;
        }
    }
    take_session(&s, list);
    return 0;
}

const struct import_format import_heidisql = {"heidisql", is_heidisql, read_heidisql};
