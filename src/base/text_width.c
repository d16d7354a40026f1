/* SPDX-License-Identifier: MIT */
/*
 * How many columns a text takes on a terminal: the C library's table for UTF-8 knows which characters are
 * wide and which combine with the one before. The locale of the user is not used, because all our text is
 * UTF-8. If the library has no UTF-8 locale, each character counts as one column.
 */
#include <base/text.h>

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

/* Returns the length in bytes of the first character and its columns in *columns. */
static size_t first_character(const char *s, bool has_locale, size_t *columns)
{
    wchar_t c;
    mbstate_t state = {0};
    size_t n = has_locale ? mbrtowc(&c, s, strlen(s), &state) : (size_t)-1;

    *columns = 1;
    if (n != (size_t)-1 && n != (size_t)-2) {
        int width = wcwidth(c);
        *columns = width >= 0 ? (size_t)width : 1; /* -1: newer than the library's table */
        return n;
    }
    for (n = 1; ((unsigned char)s[n] & 0xc0) == 0x80; n++)
        ;
    return n;
}

static bool is_ascii(const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s >= 0x80)
            return false;
    }
    return true;
}

size_t text_fit(const char *s, size_t most, size_t *columns)
{
    size_t bytes = strlen(s);

    *columns = bytes < most ? bytes : most;
    if (is_ascii(s))
        return *columns;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t was = utf8 ? uselocale(utf8) : (locale_t)0;
    *columns = 0;
    for (bytes = 0; s[bytes];) {
        size_t width, n = first_character(s + bytes, utf8, &width);
        if (width > most - *columns)
            break;
        *columns += width;
        bytes += n;
    }
    if (utf8) {
        (void)uselocale(was);
        freelocale(utf8);
    }
    return bytes;
}

size_t text_columns(const char *s)
{
    size_t columns;

    (void)text_fit(s, SIZE_MAX, &columns);
    return columns;
}
