/* SPDX-License-Identifier: MIT */
/* Hosts and ports as text. A name is only checked for characters that no host name has, above all those with
 * a meaning in a command line or URL. Whether the name exists is left to the resolver. */
#include <model/address.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#define NAME_MOST 255

static bool is_ipv6(const char *s)
{
    char text[NAME_MOST + 1];
    unsigned char address[16];
    size_t n = strcspn(s, "%");

    if (n > NAME_MOST || (s[n] && !s[n + 1]))
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    return inet_pton(AF_INET6, text, address) == 1;
}

bool host_is_valid(const char *s)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(s), plain = strspn(s, name);

    /* A leading dot is refused because OpenSSL lets such a name match every name that ends in it. */
    if (!n || n > NAME_MOST || *s == '-' || *s == '.' || strstr(s, ".."))
        return false;
    if (plain == n)
        return true;
    size_t zone = strcspn(s, "%");
    return is_ipv6(s) && (!s[zone] || strspn(s + zone + 1, name) == n - zone - 1);
}

const char *host_by_tcp(const char *s)
{
    return text_equal_nocase(s, "localhost") ? "127.0.0.1" : s;
}

bool host_is_loopback(const char *s)
{
    unsigned char address[4];
    static const unsigned char one[16] = {[15] = 1};
    unsigned char six[16];

    if (text_equal_nocase(s, "localhost"))
        return true;
    if (inet_pton(AF_INET, s, address) == 1)
        return address[0] == 127;
    return inet_pton(AF_INET6, s, six) == 1 && memcmp(six, one, sizeof one) == 0;
}

bool address_split(const char *s, char **host, long *port)
{
    AUTO_FREE(char *, name);
    const char *colon;
    unsigned long number;

    *host = NULL;
    *port = -1;
    if (*s == '[') {
        const char *close = strchr(s, ']');
        if (!close || (close[1] && close[1] != ':'))
            return false;
        name = mem_strndup(s + 1, (size_t)(close - s - 1));
        colon = close[1] ? close + 1 : NULL;
        if (!is_ipv6(name))
            return false;
    } else {
        colon = strchr(s, ':');
        name = colon ? mem_strndup(s, (size_t)(colon - s)) : mem_strdup(s);
    }
    if (!host_is_valid(name) || (colon && !text_number(colon + 1, 65535, &number)))
        return false;
    if (colon)
        *port = (long)number;
    *host = name;
    name = NULL;
    return true;
}
