/* SPDX-License-Identifier: MIT */
/* Checks a key's value and normalises it, with one function for each type of keys.def. Rules between keys,
 * and whether a file exists, are not checked here. */
#include <model/profile.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>
#include <model/kinds.h>
#include <model/utf8.h>
#include <model/via.h>

#define VALUE_MOST 8000
#define ALIAS_MOST 255
#define QUOTED "'%.80s'"

typedef int type_check(const struct key_info *info, const char *value, char **out, struct err *e);

static int take_text(const struct key_info *info, const char *value, char **out, struct err *e)
{
    (void)info;
    (void)e;
    *out = mem_strdup(value);
    return 0;
}

static int take_path(const struct key_info *info, const char *value, char **out, struct err *e)
{
    (void)info;
    (void)e;
    *out = path_expand(value);
    return 0;
}

/* Returns "'x' is " for the start of a message. The value may be a secret (-P typed for -p, or
 * USER:PASSWORD@HOST), so it is shown only if it cannot be one. */
static char *subject(const char *value, bool is_harmless)
{
    return is_harmless ? mem_printf(QUOTED " is ", value) : mem_strdup("");
}

/* Returns true if a number is within limits written as "least-most". */
static bool is_within(const char *limits, unsigned long n)
{
    return n >= strtoul(limits, NULL, 10) && n <= strtoul(strchr(limits, '-') + 1, NULL, 10);
}

static int take_number(const struct key_info *info, const char *value, char **out, struct err *e)
{
    const char *dash = strchr(info->limits, '-');
    AUTO_FREE(char *, it);
    unsigned long n;

    if (text_number(value, UINT32_MAX, &n) && is_within(info->limits, n)) {
        *out = mem_printf("%lu", n);
        return 0;
    }
    it = subject(value, !value[strspn(value, " +-.0123456789")]);
    (void)err_set(e, ERR_CONFIG, "%s: %snot a number from %.*s to %s", info->name, it,
                  (int)(dash - info->limits), info->limits, dash + 1);
    return err_hint(e, "for example: %s = %s", info->name, info->built_in ? info->built_in : "3306");
}

static int take_bool(const struct key_info *info, const char *value, char **out, struct err *e)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (text_equal_nocase(value, words[i])) {
            *out = mem_strdup(words[i % 2]);
            return 0;
        }
    }
    (void)err_set(e, ERR_CONFIG, "%s: " QUOTED " is not yes or no", info->name, value);
    return err_hint(e, "%s = yes, or %s = no", info->name, info->name);
}

static int take_time(const struct key_info *info, const char *value, char **out, struct err *e)
{
    long ms;

    if (duration_parse(value, &ms) && (ms > 0 || !info->limits)) {
        *out = mem_strdup(value);
        return 0;
    }
    (void)err_set(e, ERR_CONFIG, "%s: " QUOTED " is not a duration", info->name, value);
    return err_hint(e, "for example: %s = 500ms, 10s, 5m or 1h", info->name);
}

static int take_choice(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_WORDS(words);
    AUTO_BUF(list, 4096);
    struct err ignored = ERR_INIT;

    if (text_split_words(info->limits, &words, &ignored) < 0)
        return err_set(e, ERR_BUG, "%s: no words to choose from", info->name);
    for (size_t i = 0; i < words.count; i++) {
        if (text_equal(value, words.word[i])) {
            *out = mem_strdup(value);
            return 0;
        }
    }
    const char *meant = text_closest(value, (const char *const *)words.word);
    (void)err_set(e, ERR_CONFIG, "%s: unknown value " QUOTED, info->name, value);
    if (meant)
        return err_hint(e, "did you mean '%s'?", meant);
    for (size_t i = 0; i < words.count; i++)
        buf_printf(&list, " %s", words.word[i]);
    return err_hint(e, "%s is one of:%s", info->name, buf_str(&list));
}

static int take_words(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_WORDS(words);

    if (text_split_words(value, &words, e) < 0) {
        (void)err_prefix(e, "%s", info->name);
        return err_hint(e, "quote as for sh: '...', \"...\", or a backslash before the character");
    }
    *out = mem_strdup(value);
    return 0;
}

static int refuse_url(const struct key_info *info, const char *why, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "%s: %s", info->name, why);
    return err_hint(e, "for example: %s = https://vault.example.com", info->name);
}

/* Checks a base URL: scheme, host, port and perhaps a path; a trailing slash is removed. Errors never quote a
 * part that may hold a secret. */
static int take_url(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_FREE(char *, authority);
    AUTO_FREE(char *, host);
    const char *mark = strstr(value, "://"), *rest = mark ? mark + 3 : value;
    bool is_plain = mark && mark - value == 4 && strncasecmp(value, "http", 4) == 0;
    size_t n = strlen(rest);
    long port;

    if (mark && !is_plain && !(mark - value == 5 && strncasecmp(value, "https", 5) == 0))
        return refuse_url(info, "not https or http", e);
    if (strpbrk(rest, "@?# \t"))
        return refuse_url(info, "no user, password, query or fragment allowed", e);
    while (n > 0 && rest[n - 1] == '/')
        n--;
    size_t cut = strcspn(rest, "/");
    authority = mem_strndup(rest, cut < n ? cut : n);
    if (!address_split(authority, &host, &port) || port == 0)
        return refuse_url(info, "it has no valid host", e);
    if (is_plain && !host_is_loopback(host))
        return refuse_url(info, "http is only allowed to this machine", e);
    *out = mem_printf("%s://%.*s", is_plain ? "http" : "https", (int)n, rest);
    return 0;
}

/* Checks PORT, ADDRESS:PORT or an absolute path; a port alone becomes 127.0.0.1:PORT. */
static int take_listen(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_BUF(address, 512);
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, it);
    long port = -1;
    unsigned long number;

    if (*value == '/' || text_starts(value, "~/"))
        return take_path(info, value, out, e);
    if (text_number(value, 65535, &number)) {
        host = mem_strdup("127.0.0.1");
        port = (long)number;
    } else if (!address_split(value, &host, &port)) {
        port = -1;
    }
    if (port >= 0 && is_within(info->limits, (unsigned long)port)) {
        text_address(&address, host, port);
        *out = buf_take(&address);
        return 0;
    }
    it = subject(value, !strchr(value, '@'));
    (void)err_set(e, ERR_CONFIG, "%s: %snot PORT, ADDRESS:PORT or /PATH", info->name, it);
    return err_hint(e, "for example: %s = 127.0.0.1:13306", info->name);
}

/* Returns true if the value may be shown. An `@`, or a colon before something other than a port, may mean
 * USER:PASSWORD. */
static bool is_harmless_host(const char *value)
{
    const char *colon = strchr(value, ':');

    return !strchr(value, '@') && (!colon || strchr(colon + 1, ':') || !colon[strspn(colon, ":0123456789")]);
}

static int take_hostname(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, it);
    long port;

    if (host_is_valid(value)) {
        *out = mem_strdup(value);
        return 0;
    }
    if (strstr(value, "://")) {
        (void)err_set(e, ERR_CONFIG, "%s: a URL is not a host name", info->name);
        return err_hint(e, "a URL goes in place of the profile's name: broker connect URL");
    }
    bool has_port = address_split(value, &host, &port) && port >= 0;
    if (host && !has_port) {
        *out = host;
        host = NULL;
        return 0;
    }
    it = subject(value, is_harmless_host(value));
    (void)err_set(e, ERR_CONFIG, "%s: %snot a host name", info->name, it);
    if (strchr(value, '@'))
        return err_hint(e, "set the user with user = NAME, and the password with broker password set NAME");
    if (has_port)
        return err_hint(e, "set the port with port = %ld", port);
    return err_hint(e, "a name such as db.example.com, or an IP address");
}

/* Returns true for a HOST that `ssh HOST` accepts. An alias of ssh_config need not be a host name
 * (`prod/bastion`, `prod:eu`). The user is a separate key. */
static bool is_ssh_alias(const char *s)
{
    return *s != '-' && strlen(s) <= ALIAS_MOST && !s[strcspn(s, " '`\"$\\;&<>|(){}@")] && !strstr(s, "://");
}

static int take_ssh_host(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_FREE(char *, host);
    const char *at = strrchr(value, '@');
    long port = -1;

    if (is_ssh_alias(value) && *value != '[' && !(address_split(value, &host, &port) && port >= 0))
        return take_text(info, value, out, e);
    if (!at || at == value)
        return take_hostname(info, value, out, e);
    (void)err_set(e, ERR_CONFIG, "%s: " QUOTED " is not a host name", info->name, at + 1);
    return err_hint(e, "set the user with the key user, and host = %.80s", at + 1);
}

static int take_name(const struct key_info *info, const char *value, char **out, struct err *e)
{
    if (profile_name_valid(value))
        return take_text(info, value, out, e);
    (void)err_set(e, ERR_CONFIG, "%s: " QUOTED " is not a name", info->name, value);
    return err_hint(e, "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
}

static int take_via(const struct key_info *info, const char *value, char **out, struct err *e)
{
    AUTO_VIA(via);

    return via_parse(value, &via, e) < 0 ? -1 : take_text(info, value, out, e);
}

/* Checks a time zone. It is restricted to a few characters, because it becomes part of an SQL statement, and
 * the server's sql_mode decides what ends a string there. */
static int take_zone(const struct key_info *info, const char *value, char **out, struct err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_/:. ";

    if (!value[strspn(value, allowed)])
        return take_text(info, value, out, e);
    (void)err_set(e, ERR_CONFIG, "%s: not the name of a time zone", info->name);
    return err_hint(e, "for example: %s = Europe/Berlin, +02:00 or server", info->name);
}

/* Refuses characters that no value may contain, because values are written to option files, terminals and
 * JSON. */
static int check_characters(const struct key_info *info, const char *value, struct err *e)
{
    size_t n = strlen(value), len;
    const char *why = n > VALUE_MOST ? "too long" : NULL;

    for (const char *s = value; *s && !why; s += len) {
        len = utf8_len(s, n - (size_t)(s - value));
        if (!len)
            why = "not UTF-8";
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            why = "contains a control character";
    }
    if (!why && !text_is_plain(value)) {
        (void)err_set(e, ERR_CONFIG, "%s: contains a character that controls a terminal or hides text",
                      info->name);
        return err_hint(e, "type the value again; the copied text has invisible characters");
    }
    if (!why)
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s: %s", info->name, why);
    return err_hint(e, "a value is one line of UTF-8, at most %d bytes", VALUE_MOST);
}

int key_check(const struct key_info *info, const char *value, char **out, struct err *e)
{
    static type_check *const checks[] = {
        [KEY_TEXT] = take_text,         [KEY_PATH] = take_path,         [KEY_NUMBER] = take_number,
        [KEY_BOOL] = take_bool,         [KEY_TIME] = take_time,         [KEY_CHOICE] = take_choice,
        [KEY_WORDS] = take_words,       [KEY_URL] = take_url,           [KEY_LISTEN] = take_listen,
        [KEY_HOSTNAME] = take_hostname, [KEY_SSH_HOST] = take_ssh_host, [KEY_NAME] = take_name,
        [KEY_VIA] = take_via,           [KEY_ZONE] = take_zone,
    };

    *out = NULL;
    if (check_characters(info, value, e) < 0)
        return -1;
    if (!*value)
        return take_text(info, value, out, e);
    return checks[info->type](info, value, out, e);
}
