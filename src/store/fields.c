/* SPDX-License-Identifier: MIT */
/* Entries that consist of several texts. The whole entry is a secret. */
#include <store/fields.h>

#include <string.h>

static bool add(struct secret *entry, const char *bytes, size_t n)
{
    return !memchr(bytes, '\0', n) && secret_add(entry, bytes, n) == 0 && secret_add(entry, "", 1) == 0;
}

bool fields_add(struct secret *entry, const char *s)
{
    return add(entry, s ? s : "", s ? strlen(s) : 0);
}

bool fields_add_secret(struct secret *entry, const struct secret *s)
{
    return add(entry, s ? secret_bytes(s) : "", s ? secret_len(s) : 0);
}

bool fields_split(const struct secret *entry, char version, const char *field[], size_t count)
{
    const char *at = secret_bytes(entry), *end = at + secret_len(entry);

    if (at == end || *at++ != version)
        return false;
    for (size_t i = 0; i < count; i++) {
        field[i] = at;
        at = memchr(at, '\0', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    return at == end;
}
