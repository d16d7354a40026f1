/* SPDX-License-Identifier: MIT */
/* Linux: reads /proc/net/tcp and tcp6 of our network namespace. Addresses are 32-bit words in the machine's
 * byte order, written in hex. The kernel lists listeners before connections. */
#include <base/tcp_table.h>

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LINE_MOST 512
#define LINES_MOST 65536
enum { STATE_ESTABLISHED = 0x01, STATE_LISTEN = 0x0a };

static void map_v4(const void *v4, struct in6_addr *out)
{
    *out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(out->s6_addr + 12, v4, 4);
}

static bool take_address(const char *hex, struct in6_addr *out)
{
    size_t n = strlen(hex);
    uint32_t words[4];
    unsigned word;

    if (n != 8 && n != 32)
        return false;
    for (size_t i = 0; i < n / 8; i++) {
        if (sscanf(hex + 8 * i, "%8x", &word) != 1)
            return false;
        words[i] = word;
    }
    if (n == 8)
        map_v4(words, out);
    else
        memcpy(out, words, sizeof *out);
    return true;
}

bool tcp_socket_parse(const char *line, struct tcp_socket *out)
{
    char local[33], remote[33];
    unsigned state;

    if (sscanf(line, " %*[0-9]: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x %*x:%*x %*x:%*x %*x %10u %*u %20lu",
               local, &out->local.port, remote, &out->remote.port, &state, &out->uid, &out->inode) != 7)
        return false;
    out->v6 = strlen(local) == 32;
    out->listens = state == STATE_LISTEN;
    out->connected = state == STATE_ESTABLISHED;
    out->is_open = out->inode != 0;
    return take_address(local, &out->local.at) && take_address(remote, &out->remote.at);
}

static void file_cleanup(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

bool tcp_table_walk(bool v6, bool (*look)(const struct tcp_socket *s, void *context), void *context)
{
    __attribute__((cleanup(file_cleanup))) FILE *f =
        fopen(v6 ? "/proc/self/net/tcp6" : "/proc/self/net/tcp", "re");
    char line[LINE_MOST];
    struct tcp_socket s;

    for (unsigned i = 0; f && i < LINES_MOST && fgets(line, sizeof line, f); i++) {
        if (tcp_socket_parse(line, &s) && look(&s, context))
            return true;
    }
    return false;
}

bool tcp_end_take(const struct sockaddr_storage *from, struct tcp_end *out)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;

    if (from->ss_family == AF_INET)
        map_v4(&v4->sin_addr, &out->at);
    else if (from->ss_family == AF_INET6)
        out->at = v6->sin6_addr;
    else
        return false;
    out->port = ntohs(from->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return true;
}

bool tcp_end_equal(const struct tcp_end *a, const struct tcp_end *b)
{
    return a->port == b->port && IN6_ARE_ADDR_EQUAL(&a->at, &b->at);
}
