/* SPDX-License-Identifier: MIT */
/* Text functions. All work on bytes; only the UTF-8 checks and text_sanitise() decode characters. */
#include <base/text.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include <base/mem.h>

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_equal_nocase(const char *a, const char *b)
{
    return a && b ? strcasecmp(a, b) == 0 : a == b;
}

bool text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && strcmp(s + n - m, suffix) == 0;
}

void words_take(struct words *w, char *s)
{
    w->word = mem_grow(w->word, w->count + 2, sizeof *w->word);
    w->word[w->count++] = s;
    w->word[w->count] = NULL;
}

void words_add(struct words *w, const char *s)
{
    words_take(w, mem_strdup(s));
}

void words_split(struct words *w, const char *s, char separator)
{
    const char separators[] = {separator, '\0'};

    for (s += strspn(s, separators); *s; s += strspn(s, separators)) {
        size_t n = strcspn(s, separators);
        words_take(w, mem_strndup(s, n));
        s += n;
    }
}

bool words_have(const struct words *w, const char *s)
{
    for (size_t i = 0; i < w->count; i++) {
        if (text_equal(w->word[i], s))
            return true;
    }
    return false;
}

void words_release(struct words *w)
{
    for (size_t i = 0; i < w->count; i++)
        mem_wipe_free(w->word[i]);
    free(w->word);
    w->word = NULL;
    w->count = 0;
}

/* Takes one argument off *s and appends it to `out`. Returns 1 for an argument, 0 at the end, -1 for an
 * unclosed quote or a trailing backslash. */
static int next_word(const char **s, struct buf *out)
{
    char quote = '\0';

    *s += strspn(*s, " \t\r\n");
    if (!**s)
        return 0;
    for (; **s; (*s)++) {
        char c = **s;
        if (!quote && strchr(" \t\r\n", c))
            break;
        if (c == '\\' && quote != '\'') {
            char n = (*s)[1];
            if (!n)
                return -1;
            if (!quote || n == '"' || n == '\\') {
                buf_putc(out, n);
                (*s)++;
                continue;
            }
        }
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? '\0' : c;
        else
            buf_putc(out, c);
    }
    return quote ? -1 : 1;
}

int text_split_words(const char *s, struct words *out, struct err *e)
{
    for (;;) {
        AUTO_BUF(word, 65536);
        int got = next_word(&s, &word);
        if (got < 0)
            return err_set(e, ERR_CONFIG, "open quote or backslash at the end of a command");
        if (got == 0)
            break;
        words_take(out, buf_take(&word));
    }
    return out->count ? 0 : err_set(e, ERR_CONFIG, "empty command");
}

void text_fill(struct buf *out, const char *s, const char *const *names, const char *const *values)
{
    while (*s) {
        const char *brace = *s == '{' ? strchr(s, '}') : NULL;
        size_t i = 0, n = brace ? (size_t)(brace - s - 1) : 0;
        while (brace && names[i] && !(strlen(names[i]) == n && memcmp(names[i], s + 1, n) == 0))
            i++;
        if (brace && names[i]) {
            buf_puts(out, values[i] ? values[i] : "");
            s = brace + 1;
        } else {
            buf_putc(out, *s++);
        }
    }
}

static bool is_unreserved(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || strchr("-._~", c)) && c;
}

void text_percent_encode(struct buf *out, const char *s, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (is_unreserved(c)) {
            buf_putc(out, (char)c);
        } else {
            buf_putc(out, '%');
            buf_putc(out, hex[c >> 4]);
            buf_putc(out, hex[c & 15]);
        }
    }
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

bool text_percent_decode(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '%') {
            buf_putc(out, s[i]);
            continue;
        }
        int high = i + 2 < n ? hex_digit(s[i + 1]) : -1, low = i + 2 < n ? hex_digit(s[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0)
            return false;
        buf_putc(out, (char)(high * 16 + low));
        i += 2;
    }
    return buf_ok(out);
}

bool text_number(const char *s, unsigned long max, unsigned long *out)
{
    unsigned long n = 0;

    if (!s || !*s || strspn(s, "0123456789") != strlen(s))
        return false;
    for (; *s; s++) {
        unsigned long digit = (unsigned long)(*s - '0');
        if (n > (max - digit) / 10 || digit > max)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

#define LONGEST_GUESS 64

/* Returns the optimal string alignment distance: swapping two adjacent characters counts as one edit. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned char row[3][LONGEST_GUESS + 1];

    for (size_t j = 0; j <= m; j++)
        row[0][j] = (unsigned char)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned char *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= m; j++) {
            int best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = (unsigned char)best;
        }
    }
    return row[n % 3][m];
}

const char *text_closest(const char *typed, const char *const *candidates)
{
    const char *found = NULL;
    size_t n = strlen(typed), best = n < 4 ? 2 : n / 3 + 2;

    if (n < 2 || n > LONGEST_GUESS)
        return NULL;
    for (; *candidates; candidates++) {
        if (strlen(*candidates) > LONGEST_GUESS)
            continue;
        size_t d = edit_distance(typed, *candidates);
        if (d < best) {
            best = d;
            found = *candidates;
        }
    }
    return found;
}

/* Returns the length of the well-formed UTF-8 sequence at s and its code point in *cp; 0 if it is malformed
 * (RFC 3629). */
static size_t utf8_next(const unsigned char *s, size_t n, unsigned *cp)
{
    size_t len = *s < 0x80             ? 1
                 : (*s & 0xe0) == 0xc0 ? 2
                 : (*s & 0xf0) == 0xe0 ? 3
                 : (*s & 0xf8) == 0xf0 ? 4
                                       : 0;
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (!len || len > n)
        return 0;
    *cp = len == 1 ? *s : *s & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *cp = *cp << 6 | (s[i] & 0x3fu);
    }
    return *cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp < 0xe000) ? 0 : len;
}

/* Returns true for characters that can mislead a reader: C0 and C1 controls, bidi overrides and isolates,
 * zero-width characters, line separators, the byte order mark, and tags (which encode invisible text). */
static bool is_hostile(unsigned cp)
{
    return (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0) ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || cp == 0x061c || cp == 0xfeff || (cp >= 0xe0000 && cp <= 0xe007f);
}

/* Returns true for the joiners that some scripts and emoji need. */
static bool is_joiner(unsigned cp)
{
    return cp == 0x200c || cp == 0x200d;
}

bool text_is_utf8(const char *s, size_t n)
{
    size_t len;
    unsigned cp;

    for (; n; s += len, n -= len) {
        len = utf8_next((const unsigned char *)s, n, &cp);
        if (!len)
            return false;
    }
    return true;
}

bool text_is_plain(const char *s)
{
    size_t n = strlen(s), len;
    unsigned cp;

    for (; n; s += len, n -= len) {
        len = utf8_next((const unsigned char *)s, n, &cp);
        if (!len || (is_hostile(cp) && !is_joiner(cp)))
            return false;
    }
    return true;
}

bool text_is_plain_line(const char *s)
{
    return text_is_plain(s) && !strpbrk(s, "\n\t");
}

void text_sanitise(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned cp;
        size_t len = utf8_next((const unsigned char *)s + i, n - i, &cp);
        if (!len || is_hostile(cp))
            buf_putc(out, '?');
        else
            buf_add(out, s + i, len);
        i += len ? len : 1;
    }
}

void text_sanitise_line(struct buf *out, const char *s, size_t n)
{
    size_t from = out->len;

    text_sanitise(out, s, n);
    for (; from < out->len; from++) {
        if (out->data[from] == '\n' || out->data[from] == '\t')
            out->data[from] = '?';
    }
}

void text_quote_sh(struct buf *out, const char *s)
{
    if (*s &&
        strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-") == strlen(s)) {
        buf_puts(out, s);
        return;
    }
    buf_putc(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *s);
    }
    buf_putc(out, '\'');
}

void text_address(struct buf *out, const char *host, long port)
{
    buf_printf(out, strchr(host, ':') ? "[%s]" : "%s", host);
    if (port >= 0)
        buf_printf(out, ":%ld", port);
}

void text_hash(const void *bytes, size_t n, char out[33])
{
    unsigned char digest[16];

    (void)crypto_generichash(digest, sizeof digest, bytes, n, NULL, 0);
    (void)sodium_bin2hex(out, 33, digest, sizeof digest);
}
