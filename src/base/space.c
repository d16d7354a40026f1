/* SPDX-License-Identifier: MIT */
/* Recognises U+0009 to U+000D, U+001C to U+0020, U+0085, U+00A0, and the white space above U+00FF, all in
 * UTF-8. */
#include <base/space.h>

#include <stdbool.h>
#include <string.h>

static bool is_ascii_space(unsigned char c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20);
}

/* Returns true for U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000, each three bytes of
 * UTF-8. */
static bool is_wide_space(const unsigned char *c)
{
    if (c[0] == 0xe2 && c[1] == 0x80)
        return (c[2] >= 0x80 && c[2] <= 0x8a) || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf;
    return memcmp(c, "\xe1\x9a\x80", 3) == 0 || memcmp(c, "\xe2\x81\x9f", 3) == 0 ||
           memcmp(c, "\xe3\x80\x80", 3) == 0;
}

/* Returns true if these `n` bytes are one white-space character. */
static bool is_space(const char *s, size_t n)
{
    const unsigned char *c = (const unsigned char *)s;

    return n == 1   ? is_ascii_space(c[0])
           : n == 2 ? c[0] == 0xc2 && (c[1] == 0x85 || c[1] == 0xa0)
                    : is_wide_space(c);
}

size_t space_lead(const char *s, size_t n)
{
    size_t at = 0;

    for (size_t len = 1; len <= 3 && len <= n - at;) {
        bool found = is_space(s + at, len);
        at += found ? len : 0;
        len = found ? 1 : len + 1;
    }
    return at;
}

size_t space_trim(const char *s, size_t n)
{
    for (size_t len = 1; len <= 3 && len <= n;) {
        bool found = is_space(s + n - len, len);
        n -= found ? len : 0;
        len = found ? 1 : len + 1;
    }
    return n;
}
