/* SPDX-License-Identifier: MIT */
/* The tables of all keys, made from keys.def, and lookups by name. Values are checked in key_check.c. */
#include <model/profile.h>

#include <ctype.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

/* The choices of auth and tunnel.type are the rows of kinds.def. */
static const char kind_auth_words[] =
#define PROVIDER(id, url, help) #id " "
#include <model/kinds.def>
    "";
static const char kind_tunnel_words[] =
#define TUNNEL(id, help) #id " "
#include <model/kinds.def>
    "";
#define KIND_AUTH_WORDS kind_auth_words
#define KIND_TUNNEL_WORDS kind_tunnel_words

const struct key_info key_infos[KEY_COUNT] = {
#define KEY(id, group, type, limits, built_in, url, help)                                                    \
    {#id, KEY_##type, limits, built_in, help, URL_##url},
#include <model/keys.def>
};
const struct key_info tunnel_key_infos[TUNNEL_COUNT] = {
#define TUNNEL_KEY(id, type, limits, built_in, help) {#id, KEY_##type, limits, built_in, help, URL_UNKNOWN},
#include <model/keys.def>
};
const struct key_info file_key_infos[FILE_COUNT] = {
#define FILE_KEY(id, type, limits, built_in, help) {#id, KEY_##type, limits, built_in, help, URL_UNKNOWN},
#include <model/keys.def>
};

static bool is_same_key(const char *name, const char *typed)
{
    while (*name && (*name == *typed || (*name == '_' && *typed == '-'))) {
        name++;
        typed++;
    }
    return *name == *typed;
}

int key_find(const struct key_info *infos, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (is_same_key(infos[i].name, name))
            return (int)i;
    return -1;
}

bool key_is_secret(const char *name)
{
    static const char *const last_words[] = {"password", "passwd", "passphrase", "pwd",
                                             "pass",     "secret", "token"};
    char plain[64];
    size_t n = strlen(name);

    if (n >= sizeof plain)
        return false;
    for (size_t i = 0; i <= n; i++)
        plain[i] = name[i] == '-' ? '_' : (char)tolower((unsigned char)name[i]);
    for (size_t i = 0; i < ARRAY_LEN(last_words); i++) {
        size_t m = strlen(last_words[i]);
        if (n >= m && strcmp(plain + n - m, last_words[i]) == 0 &&
            (n == m || plain[n - m - 1] == '_' || isupper((unsigned char)name[n - m])))
            return true;
    }
    return text_equal(plain, "secret_key") || text_equal(plain, "aws_secret_access_key");
}

bool duration_parse(const char *s, long *ms)
{
    static const struct {
        const char *unit;
        unsigned long ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const unsigned long year = 366UL * 24 * 3600 * 1000;
    size_t digits = strspn(s, "0123456789");
    char number[16];
    unsigned long n;

    if (digits >= sizeof number)
        return false;
    memcpy(number, s, digits);
    number[digits] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(s + digits, units[i].unit) != 0)
            continue;
        if (!text_number(number, year / units[i].ms, &n))
            return false;
        *ms = (long)(n * units[i].ms);
        return true;
    }
    return false;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Not written with strspn(3), which builds a table at each call: this is called for each section of the file.
 */
bool profile_name_valid(const char *s)
{
    size_t n = 0;

    if (!is_alphanumeric(*s))
        return false;
    while (is_alphanumeric(s[n]) || s[n] == '_' || s[n] == '-' || s[n] == '.' || s[n] == '@' || s[n] == '+')
        n++;
    return n <= 64 && !s[n];
}
