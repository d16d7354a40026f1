/* SPDX-License-Identifier: MIT */
/* Linux: finds listeners in the TCP table and in /proc/net/unix, both of our network namespace. */
#include <base/listening.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/tcp_table.h>
#include <base/text.h>

#define LINE_MOST 512
#define LINES_MOST 65536
/* the kernel's flag SO_ACCEPTCON */
#define UNIX_LISTENS 0x10000u

struct search {
    const char *host;
    unsigned port;
    bool ours, found;
    const char *at;
};

static bool is_v4(const struct in6_addr *at, uint32_t v4)
{
    return IN6_IS_ADDR_V4MAPPED(at) && memcmp(at->s6_addr + 12, &v4, sizeof v4) == 0;
}

static bool is_wildcard(const struct tcp_socket *s)
{
    return s->v6 ? IN6_IS_ADDR_UNSPECIFIED(&s->local.at) : is_v4(&s->local.at, htonl(INADDR_ANY));
}

static bool is_loopback(const struct tcp_socket *s)
{
    return s->v6 ? IN6_IS_ADDR_LOOPBACK(&s->local.at) : is_v4(&s->local.at, htonl(INADDR_LOOPBACK));
}

/* Returns true if a connection to `host` would reach this listener. A host name is not resolved: it matches
 * every listener. */
static bool serves(const struct tcp_socket *s, const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_wildcard(s) || is_v4(&s->local.at, v4.s_addr);
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return s->v6 && (is_wildcard(s) || IN6_ARE_ADDR_EQUAL(&s->local.at, &v6));
    return true;
}

static bool is_meant(const struct tcp_socket *s, const struct search *want)
{
    if (!s->listens || s->local.port != want->port)
        return false;
    if (want->ours && s->uid != 0 && s->uid != geteuid())
        return false;
    return want->host ? serves(s, want->host) : is_wildcard(s) || is_loopback(s);
}

/* Called for each socket of the table. Stops after the listeners, which come first, however many connections
 * there are. */
static bool look(const struct tcp_socket *s, void *context)
{
    struct search *want = context;

    want->found = is_meant(s, want);
    /* A listener on the IPv6 wildcard address nearly always accepts IPv4 too, and ::1 is missing on many
     * machines, so 127.0.0.1 is the address to use. */
    if (want->found)
        want->at = want->host ? want->host : s->v6 && !is_wildcard(s) ? "::1" : "127.0.0.1";
    return want->found || s->connected;
}

bool listening_tcp_line(const char *line, const char *host, unsigned port, bool ours, const char **at)
{
    struct search want = {.host = host, .port = port, .ours = ours};
    struct tcp_socket s;

    if (tcp_socket_parse(line, &s))
        (void)look(&s, &want);
    *at = want.at;
    return want.found;
}

bool listening_tcp(const char *host, unsigned port, bool ours, const char **at)
{
    struct search want = {.host = host, .port = port, .ours = ours};

    (void)tcp_table_walk(false, look, &want);
    if (!want.found)
        (void)tcp_table_walk(true, look, &want);
    *at = want.at;
    return want.found;
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
