/* Time. Waits use the monotonic clock only; wall-clock time is for expiries that come from outside. */
#include <base/clock.h>

#include <limits.h>
#include <stdio.h>
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

bool clock_parse_utc(const char *s, time_t *out)
{
    struct tm tm = {0};
    char sign[2] = "";
    int hours = 0, minutes = 0, used = 0;

    if (sscanf(s, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &used) != 6 ||
        !used)
        return false;
    s += used;
    if (*s == '.')
        s += 1 + strspn(s + 1, "0123456789");
    if (*s == 'Z' || *s == 'z') {
        if (s[1])
            return false;
    } else if (sscanf(s, "%1[+-]%2d:%2d%n", sign, &hours, &minutes, &used) != 3 || s[used]) {
        return false;
    }
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int offset = (hours * 60 + minutes) * 60;
    *out = timegm(&tm) - (sign[0] == '-' ? -offset : offset);
    return true;
}
