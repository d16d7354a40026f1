/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes git's credential protocol. The callers decide which entry to use. Unknown keys are
 * ignored, as git's own helpers do.
 */
#include <protocol/git.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/mem.h>

#define STATE_PREFIX "broker:"
#define KEY_PREFIX "broker."

void git_release(struct git_credential *c)
{
    free(c->protocol);
    free(c->host);
    free(c->path);
    free(c->username);
    free(c->authtype);
    free(c->profile);
    secret_free(c->refresh_token);
    secret_free(c->password);
    secret_free(c->credential);
    words_release(&c->keys);
    *c = (struct git_credential){0};
}

/* --- reading */

static void set_text(char **slot, const char *value, size_t n)
{
    mem_wipe_free(*slot);
    *slot = mem_strndup(value, n);
}

static void set_secret(struct secret **slot, const char *value, size_t n)
{
    secret_free(*slot);
    *slot = secret_from(value, n);
}

static bool says(const char *value, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(value, word, n) == 0;
}

/* Any number but 0 is true, as in git. */
static bool is_yes(const char *value, size_t n)
{
    return n && !says(value, n, "0") && !says(value, n, "false") && !says(value, n, "no") &&
           !says(value, n, "off");
}

/* Returns the time of expiry; 0 (never) if the value is not a number. */
static time_t to_expiry(const char *value, size_t n)
{
    AUTO_FREE(char *, text);
    unsigned long seconds = 0;

    text = mem_strndup(value, n);
    return text_number(text, (unsigned long)INT64_MAX, &seconds) ? (time_t)seconds : 0;
}

/* Percent-decodes a part of a URL. Returns -1 if it is invalid or contains a line break, which would become
 * another line in the output. */
static int url_part(char **slot, const char *text, size_t n)
{
    AUTO_BUF(decoded, GIT_LINE_MAX);

    if (!text_percent_decode(&decoded, text, n) || memchr(buf_str(&decoded), '\n', decoded.len))
        return -1;
    mem_wipe_free(*slot);
    *slot = buf_take(&decoded);
    return 0;
}

static int url_user(struct git_credential *c, const char *text, size_t n)
{
    const char *colon = memchr(text, ':', n);
    size_t user = colon ? (size_t)(colon - text) : n;
    char *password = NULL;

    if (url_part(&c->username, text, user) < 0)
        return -1;
    if (!colon)
        return 0;
    if (url_part(&password, colon + 1, n - user - 1) < 0)
        return -1;
    set_secret(&c->password, password, strlen(password));
    mem_wipe_free(password);
    return 0;
}

static void forget_parts(struct git_credential *c)
{
    mem_wipe_free(c->protocol);
    mem_wipe_free(c->host);
    mem_wipe_free(c->path);
    mem_wipe_free(c->username);
    secret_free(c->password);
    c->protocol = c->host = c->path = c->username = NULL;
    c->password = NULL;
}

/* Splits PROTOCOL://[USER[:PASSWORD]@]HOST[:PORT][/PATH], as git does. */
static int set_url(struct git_credential *c, const char *url)
{
    const char *host = strstr(url, "://");

    if (!host || host == url)
        return -1;
    forget_parts(c);
    set_text(&c->protocol, url, (size_t)(host - url));
    host += strlen("://");
    size_t n = strcspn(host, "/?#");
    const char *at = memchr(host, '@', n);
    if (at && url_user(c, host, (size_t)(at - host)) < 0)
        return -1;
    const char *path = host + n;
    host = at ? at + 1 : host;
    if (url_part(&c->host, host, (size_t)(path - host)) < 0)
        return -1;
    path += strspn(path, "/");
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length ? url_part(&c->path, path, length) : 0;
}

static int take_url(struct git_credential *c, const char *value, size_t n)
{
    char *url = mem_strndup(value, n);
    int result = set_url(c, url);

    mem_wipe_free(url);
    return result;
}

/* Takes an item of a list: a capability of the caller, or the state of a helper. */
static bool take_listed(struct git_credential *c, const char *key, const char *value, size_t n)
{
    bool state = text_equal(key, "state[]");

    if (!state && !text_equal(key, "capability[]"))
        return false;
    if (state) {
        bool ours = n >= strlen(STATE_PREFIX) && memcmp(value, STATE_PREFIX, strlen(STATE_PREFIX)) == 0;
        c->has_state = n && (c->has_state || ours);
        return true;
    }
    c->can_authtype = n && (c->can_authtype || says(value, n, "authtype"));
    c->can_state = n && (c->can_state || says(value, n, "state"));
    return true;
}

static bool take_secret(struct git_credential *c, const char *key, const char *value, size_t n)
{
    const struct {
        const char *key;
        struct secret **slot;
    } slots[] = {{"password", &c->password},
                 {"credential", &c->credential},
                 {"oauth_refresh_token", &c->refresh_token}};

    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        if (text_equal(slots[i].key, key)) {
            set_secret(slots[i].slot, value, n);
            return true;
        }
    }
    return false;
}

static bool take_text(struct git_credential *c, const char *key, const char *value, size_t n)
{
    const struct {
        const char *key;
        char **slot;
    } slots[] = {{"protocol", &c->protocol}, {"host", &c->host},         {"path", &c->path},
                 {"username", &c->username}, {"authtype", &c->authtype}, {"profile", &c->profile}};

    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        if (text_equal(slots[i].key, key)) {
            set_text(slots[i].slot, value, n);
            return true;
        }
    }
    return false;
}

/* Returns -1 if the value is invalid. */
static int take(struct git_credential *c, const char *key, const char *value, size_t n)
{
    if (take_text(c, key, value, n) || take_secret(c, key, value, n) || take_listed(c, key, value, n))
        return 0;
    if (text_equal(key, "url"))
        return take_url(c, value, n);
    if (text_equal(key, "password_expiry_utc"))
        c->expires = to_expiry(value, n);
    else if (text_equal(key, "ephemeral"))
        c->ephemeral = is_yes(value, n);
    else if (text_equal(key, "quit"))
        c->quit = is_yes(value, n);
    else if (text_starts(key, KEY_PREFIX))
        words_take(&c->keys, mem_printf("%s=%.*s", key + strlen(KEY_PREFIX), (int)n, value));
    return 0;
}

/* The size of a buffer for the keys that are known; longer keys are unknown. */
#define KEY_MAX 64

/* Takes a line that has a key and `=`. */
static int take_line(struct git_credential *c, const char *line, size_t n)
{
    const char *equals = memchr(line, '=', n);
    char key[KEY_MAX];

    size_t length = (size_t)(equals - line);
    if (length >= sizeof key)
        return 0;
    memcpy(key, line, length);
    key[length] = '\0';
    return take(c, key, equals + 1, n - length - 1);
}

static int bad_line(size_t number, const char *why, struct err *e)
{
    (void)err_set(e, ERR_DATA, "line %zu: %s", number, why);
    return err_hint(e, "send lines KEY=VALUE, then an empty line: git help credential");
}

int git_parse(const char *text, size_t n, struct git_credential *out, struct err *e)
{
    const char *end = text + n;

    for (size_t number = 1; text < end; number++) {
        const char *lf = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((lf ? lf : end) - text);
        if (length >= GIT_LINE_MAX)
            return bad_line(number, "over 65535 bytes", e);
        if (memchr(text, '\0', length))
            return bad_line(number, "contains a NUL byte", e);
        size_t kept = length && text[length - 1] == '\r' ? length - 1 : length;
        if (kept == 0)
            return 0;
        if (*text == '=' || !memchr(text, '=', kept))
            return bad_line(number, "not KEY=VALUE", e);
        if (take_line(out, text, kept) < 0)
            return bad_line(number, "not a URL", e);
        text += length + (lf != NULL);
    }
    return 0;
}

/* --- writing */

static int put(struct buf *out, const char *key, const char *value, size_t n, struct err *e)
{
    bool fits = strlen(key) + n + sizeof "=\n" - 1 <= GIT_LINE_MAX;

    if (!fits || memchr(value, '\n', n) || memchr(value, '\0', n) || (n && value[n - 1] == '\r')) {
        (void)err_set(e, ERR_DATA,
                      fits ? "the %s contains a byte that git's protocol cannot carry"
                           : "the %s is too long for git's protocol",
                      key);
        return err_hint(e, "use another verb: broker help");
    }
    buf_printf(out, "%s=", key);
    buf_add(out, value, n);
    buf_putc(out, '\n');
    return 0;
}

static int put_text(struct buf *out, const char *key, const char *value, struct err *e)
{
    return value ? put(out, key, value, strlen(value), e) : 0;
}

static int put_secret(struct buf *out, const char *key, const struct secret *s, struct err *e)
{
    return s ? put(out, key, secret_bytes(s), secret_len(s), e) : 0;
}

int git_print(const struct git_credential *c, struct buf *out, struct err *e)
{
    if (c->can_authtype)
        buf_puts(out, "capability[]=authtype\n");
    if (c->can_state)
        buf_puts(out, "capability[]=state\n");
    if (put_text(out, "authtype", c->authtype, e) < 0 ||
        put_secret(out, "credential", c->credential, e) < 0 ||
        put_text(out, "protocol", c->protocol, e) < 0 || put_text(out, "host", c->host, e) < 0 ||
        put_text(out, "path", c->path, e) < 0 || put_text(out, "username", c->username, e) < 0 ||
        put_secret(out, "password", c->password, e) < 0 ||
        put_secret(out, "oauth_refresh_token", c->refresh_token, e) < 0)
        return -1;
    if (c->expires)
        buf_printf(out, "password_expiry_utc=%lld\n", (long long)c->expires);
    if (c->made)
        buf_printf(out, KEY_PREFIX "made=%lld\n", (long long)c->made);
    if (c->has_state)
        buf_puts(out, "state[]=" STATE_PREFIX "kept\n");
    return 0;
}
