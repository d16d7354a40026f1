/* SPDX-License-Identifier: MIT */
/* Checks UTF-8 as in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Code points are not
 * decoded. */
#include <model/utf8.h>

#include <stdbool.h>

/* Checks the second byte, which excludes overlong forms, surrogates and code points above U+10FFFF. */
static bool is_second(unsigned char first, unsigned char second)
{
    unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    return second >= least && second <= most;
}

size_t utf8_len(const char *s, size_t n)
{
    unsigned char first = (unsigned char)*s;
    size_t len = first < 0x80   ? 1
                 : first < 0xc2 ? 0
                 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3
                 : first < 0xf5 ? 4
                                : 0;

    if (len < 2)
        return len;
    if (len > n || !is_second(first, (unsigned char)s[1]))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}
