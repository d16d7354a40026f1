/*
 * Linux: /proc/net/tcp, tcp6 and unix, of our network namespace. Addresses are words in the byte order of the
 * machine, written in hex. The kernel lists listeners before connections: reading ends with them, however
 * many connections there are.
 */
#include "listening.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/text.h>

#define LINE_MOST 512
#define LINES_MOST 65536
enum { STATE_LISTEN = 0x0a, STATE_SYN_RECV = 0x03 };
/* SO_ACCEPTCON of the kernel's flags. */
#define UNIX_LISTENS 0x10000u

struct entry {
    bool v6;
    union {
        struct in_addr v4;
        struct in6_addr in6;
        uint32_t word[4];
    } at;
    unsigned port, state, uid;
};

static bool entry_parse(const char *line, struct entry *out)
{
    char hex[33];
    unsigned word;

    if (sscanf(line, " %*[0-9]: %32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*4x %2x %*x:%*x %*x:%*x %*x %10u", hex,
               &out->port, &out->state, &out->uid) != 4)
        return false;
    size_t n = strlen(hex);
    out->v6 = n == 32;
    if (n != 8 && n != 32)
        return false;
    for (size_t i = 0; i < n / 8; i++) {
        if (sscanf(hex + 8 * i, "%8x", &word) != 1)
            return false;
        out->at.word[i] = word;
    }
    return true;
}

static bool is_wildcard(const struct entry *entry)
{
    return entry->v6 ? IN6_IS_ADDR_UNSPECIFIED(&entry->at.in6) : entry->at.v4.s_addr == htonl(INADDR_ANY);
}

static bool is_loopback(const struct entry *entry)
{
    return entry->v6 ? IN6_IS_ADDR_LOOPBACK(&entry->at.in6) : entry->at.v4.s_addr == htonl(INADDR_LOOPBACK);
}

/* Whether a dial to `host` would reach it. A name is not looked up: any listener may be meant. */
static bool serves(const struct entry *entry, const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        bool mapped = entry->v6 && IN6_IS_ADDR_V4MAPPED(&entry->at.in6) && entry->at.word[3] == v4.s_addr;
        return is_wildcard(entry) || mapped || (!entry->v6 && entry->at.v4.s_addr == v4.s_addr);
    }
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return entry->v6 && (is_wildcard(entry) || IN6_ARE_ADDR_EQUAL(&entry->at.in6, &v6));
    return true;
}

bool listening_tcp_line(const char *line, const char *host, unsigned port, bool ours, const char **at)
{
    struct entry entry;

    if (!entry_parse(line, &entry) || entry.state != STATE_LISTEN || entry.port != port)
        return false;
    if (ours && entry.uid != 0 && entry.uid != geteuid())
        return false;
    if (host ? !serves(&entry, host) : !is_wildcard(&entry) && !is_loopback(&entry))
        return false;
    /* A wildcard of IPv6 takes IPv4 too, nearly always, and ::1 is missing on many a machine. */
    *at = host ? host : entry.v6 && !is_wildcard(&entry) ? "::1" : "127.0.0.1";
    return true;
}

bool listening_unix_line(const char *line, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash : path;
    char bound[LINE_MOST];
    unsigned flags;

    if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %*u %511[^\n]", &flags, bound) != 2)
        return false;
    return (flags & UNIX_LISTENS) &&
           (text_equal(bound, path) || text_ends(bound, name) || text_equal(bound, name + (slash != NULL)));
}

static void file_cleanup(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

static bool is_connection(const char *line)
{
    struct entry entry;

    return entry_parse(line, &entry) && entry.state != STATE_LISTEN && entry.state != STATE_SYN_RECV;
}

static bool search(const char *table, const char *host, unsigned port, bool ours, const char **at)
{
    __attribute__((cleanup(file_cleanup))) FILE *f = fopen(table, "re");
    char line[LINE_MOST];

    for (unsigned i = 0; f && i < LINES_MOST && fgets(line, sizeof line, f); i++) {
        if (listening_tcp_line(line, host, port, ours, at))
            return true;
        if (is_connection(line))
            return false;
    }
    return false;
}

bool listening_tcp(const char *host, unsigned port, bool ours, const char **at)
{
    return search("/proc/self/net/tcp", host, port, ours, at) ||
           search("/proc/self/net/tcp6", host, port, ours, at);
}

bool listening_unix(const char *path)
{
    __attribute__((cleanup(file_cleanup))) FILE *f = NULL;
    char line[LINE_MOST];
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    f = fopen("/proc/self/net/unix", "re");
    for (unsigned i = 0; f && i < LINES_MOST && fgets(line, sizeof line, f); i++) {
        if (listening_unix_line(line, path))
            return true;
    }
    return false;
}
