/* SPDX-License-Identifier: MIT */
/* Linux: finds one TCP socket by its addresses. sock_diag(7) answers fast however many sockets there are; if
 * it is not available (a container may filter it), the table in /proc is read. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/tcp_table.h>

#define ANSWERS_MOST 8
enum { STATE_ESTABLISHED = 1, STATE_LISTEN = 10 };

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

union answer {
    struct nlmsghdr head;
    char bytes[4096];
};

static int diag = -1;
static uint32_t questions;

static void put_end(const struct tcp_end *end, bool v4, uint16_t *port, uint32_t at[4])
{
    *port = htons((uint16_t)end->port);
    memcpy(at, end->at.s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
}

static bool ask(const struct tcp_end *local, const struct tcp_end *remote)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED(&local->at);
    struct question q = {
        .head = {.nlmsg_len = sizeof q,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = ++questions},
        .body = {.sdiag_family = v4 ? AF_INET : AF_INET6,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0U,
                 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
    };

    put_end(local, v4, &q.body.id.idiag_sport, q.body.id.idiag_src);
    if (remote)
        put_end(remote, v4, &q.body.id.idiag_dport, q.body.id.idiag_dst);
    return send(diag, &q, sizeof q, 0) == (ssize_t)sizeof q;
}

static void take(const struct inet_diag_msg *said, struct tcp_socket *out)
{
    *out = (struct tcp_socket){.v6 = said->idiag_family == AF_INET6,
                               .listens = said->idiag_state == STATE_LISTEN,
                               .connected = said->idiag_state == STATE_ESTABLISHED,
                               .is_open = said->idiag_inode != 0,
                               .uid = said->idiag_uid};
}

/* Reads the kernel's answer. Returns 1 if the socket was found, 0 if it does not exist, -1 on failure. */
static int listen_to(struct tcp_socket *out)
{
    union answer a;

    for (int i = 0; i < ANSWERS_MOST; i++) {
        ssize_t n = recv(diag, &a, sizeof a, MSG_DONTWAIT);
        const struct nlmsgerr *failed = NLMSG_DATA(&a.head);
        if (n < (ssize_t)sizeof a.head)
            return -1;
        if (a.head.nlmsg_seq != questions || a.head.nlmsg_len > (size_t)n)
            continue;
        if (a.head.nlmsg_type == NLMSG_ERROR && a.head.nlmsg_len >= NLMSG_LENGTH(sizeof *failed))
            return failed->error == -ENOENT ? 0 : -1;
        if (a.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
            a.head.nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
            return -1;
        take(NLMSG_DATA(&a.head), out);
        return 1;
    }
    return -1;
}

/*
 * The kernel answers before the send returns, so the answer can be read without waiting. A kernel without the
 * TCP diag module answers "no such socket" for every socket, so that answer is trusted only after one socket
 * has been found.
 */
static int diag_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out)
{
    static bool has_found;
    int found = -1;

    if (diag < 0)
        diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (diag >= 0 && ask(local, remote))
        found = listen_to(out);
    if (found < 0)
        fd_close_cleanup(&diag);
    has_found |= found > 0;
    return found == 0 && !has_found ? -1 : found;
}

struct search {
    const struct tcp_end *local, *remote;
    struct tcp_socket *best;
    int rank;
};

/* Ranks a socket as the kernel does: the connection first, then a listener on the address, then a listener on
 * any address. */
static int rank_of(const struct tcp_socket *s, const struct search *want)
{
    static const struct in6_addr any = IN6ADDR_ANY_INIT;
    struct in_addr none = {0};
    bool wildcard = memcmp(&s->local.at, &any, sizeof any) == 0 ||
                    (IN6_IS_ADDR_V4MAPPED(&s->local.at) && IN6_IS_ADDR_V4MAPPED(&want->local->at) &&
                     memcmp(s->local.at.s6_addr + 12, &none, sizeof none) == 0);

    if (s->local.port != want->local->port)
        return 0;
    if (s->listens)
        return tcp_end_equal(&s->local, want->local) ? 2 : wildcard;
    return want->remote && tcp_end_equal(&s->local, want->local) && tcp_end_equal(&s->remote, want->remote)
               ? 3
               : 0;
}

static bool look(const struct tcp_socket *s, void *context)
{
    struct search *want = context;
    int rank = rank_of(s, want);

    if (rank > want->rank) {
        want->rank = rank;
        *want->best = *s;
    }
    return rank == 3;
}

bool tcp_table_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out)
{
    struct search want = {.local = local, .remote = remote, .best = out};

    (void)(tcp_table_walk(false, look, &want) || tcp_table_walk(true, look, &want));
    return want.rank > 0;
}

bool tcp_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out)
{
    int found = diag_find(local, remote, out);

    return found < 0 ? tcp_table_find(local, remote, out) : found;
}
