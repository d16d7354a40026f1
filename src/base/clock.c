/* SPDX-License-Identifier: MIT */
/* Time. Waits use the monotonic clock only; wall-clock time is used only for expiry times that come from
 * outside. */
#include <base/clock.h>

#include <limits.h>
#include <string.h>

#include <base/buf.h>

static int64_t clock_started;

__attribute__((constructor)) static void clock_start(void)
{
    clock_started = clock_ms();
}

int64_t clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_since_start(void)
{
    return clock_ms() - clock_started;
}

int64_t clock_later(int64_t deadline, int64_t ms)
{
    return deadline < CLOCK_NEVER - ms ? deadline + ms : CLOCK_NEVER;
}

int64_t clock_deadline(int64_t ms, int64_t cap)
{
    int64_t at = clock_ms() + ms;

    return at < cap ? at : cap;
}

int clock_left(int64_t deadline)
{
    int64_t left = deadline - clock_ms();

    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

void clock_format_duration(struct buf *out, int64_t ms)
{
    long long s = ms / 1000;

    if (ms < 1000)
        buf_printf(out, "%lldms", (long long)(ms < 0 ? 0 : ms));
    else if (s < 60)
        buf_printf(out, "%llds", s);
    else if (s < 3600)
        buf_printf(out, "%lldm", s / 60);
    else if (s < 86400)
        buf_printf(out, s / 60 % 60 ? "%lldh%lldm" : "%lldh", s / 3600, s / 60 % 60);
    else
        buf_printf(out, s / 3600 % 24 ? "%lldd%lldh" : "%lldd", s / 86400, s / 3600 % 24);
}

void clock_format_utc(struct buf *out, time_t t)
{
    struct tm tm;
    char text[64];

    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        buf_puts(out, text);
}

/* Parses exactly n digits and advances *s past them. */
static bool take_digits(const char **s, int n, int *out)
{
    for (*out = 0; n > 0; n--, (*s)++) {
        if (**s < '0' || **s > '9')
            return false;
        *out = *out * 10 + (**s - '0');
    }
    return true;
}

static bool take_one_of(const char **s, const char *set)
{
    if (!**s || !strchr(set, **s))
        return false;
    (*s)++;
    return true;
}

static bool take_date(const char **s, struct tm *tm)
{
    if (!take_digits(s, 4, &tm->tm_year))
        return false;
    bool dashes = take_one_of(s, "-");
    if (!take_digits(s, 2, &tm->tm_mon) || take_one_of(s, "-") != dashes || !take_digits(s, 2, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    struct tm day = *tm;
    (void)timegm(&day); /* timegm() turns the 31st of February into another day */
    return day.tm_mday == tm->tm_mday && day.tm_mon == tm->tm_mon;
}

/* Parses the time of day. The seconds may be missing, but not after a colon, and without seconds there is no
 * fraction. */
static bool take_time(const char **s, struct tm *tm)
{
    if (!take_digits(s, 2, &tm->tm_hour))
        return false;
    bool colons = take_one_of(s, ":");
    if (!take_digits(s, 2, &tm->tm_min) || tm->tm_hour > 23 || tm->tm_min > 59)
        return false;
    if (colons ? !take_one_of(s, ":") : **s < '0' || **s > '9')
        return true;
    if (!take_digits(s, 2, &tm->tm_sec) || tm->tm_sec > 60)
        return false;
    if (!take_one_of(s, ".,"))
        return true;
    size_t fraction = strspn(*s, "0123456789");
    *s += fraction;
    return fraction > 0;
}

static bool take_word(const char **s, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*s, word, n) != 0)
        return false;
    *s += n;
    return true;
}

static bool take_offset(const char **s, int *seconds)
{
    int hours, minutes = 0, sign;

    *seconds = 0;
    (void)take_one_of(s, " ");
    sign = **s == '-' ? -1 : 1;
    if (take_one_of(s, "Zz") || take_word(s, "UTC") || take_word(s, "GMT"))
        return true;
    if (!take_one_of(s, "+-") || !take_digits(s, 2, &hours) || hours > 23)
        return false;
    bool colon = take_one_of(s, ":");
    if ((colon || **s) && (!take_digits(s, 2, &minutes) || minutes > 59))
        return false;
    *seconds = sign * (hours * 60 + minutes) * 60;
    return true;
}

bool clock_parse_utc(const char *s, time_t *out)
{
    struct tm tm = {0};
    int offset;

    if (!take_date(&s, &tm) || !take_one_of(&s, "Tt ") || !take_time(&s, &tm) || !take_offset(&s, &offset) ||
        *s)
        return false;
    *out = timegm(&tm) - offset;
    return true;
}
