/* SPDX-License-Identifier: MIT */
/* The kernel's table of TCP sockets: which user listens, and which user owns the other end of a local
 * connection. */
#ifndef BASE_TCP_TABLE_H
#define BASE_TCP_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>

struct tcp_end {
    struct in6_addr at; /* the address; IPv4 addresses are mapped to IPv6 */
    unsigned port;
};

struct tcp_socket {
    bool v6;
    struct tcp_end local, remote;
    bool listens, connected; /* both false: the connection is being opened or closed */
    bool is_open;            /* a process has it open; otherwise uid is meaningless */
    unsigned uid;
    unsigned long inode; /* 0 if sock_diag found the socket */
};

/* Calls look() for each socket of one family, listeners first, until it returns true. Returns false if it
 * never did. */
bool tcp_table_walk(bool v6, bool (*look)(const struct tcp_socket *s, void *context), void *context);

/*
 * Finds the local socket that serves a connection from `remote` to `local`: the connection's own socket or,
 * if there is none, the listener (then only `listens`, `connected`, `is_open` and `uid` are filled in). With
 * `remote` NULL, finds the listener. Returns false if none is visible; sockets of another network namespace
 * never are.
 */
bool tcp_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out);
/* Like tcp_find(), but reads only the table in /proc, which is slow if there are many sockets. */
bool tcp_table_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out);

/* Parses one line of the table. Returns false if the line is not a socket. */
bool tcp_socket_parse(const char *line, struct tcp_socket *out);

/* Converts an address to the form that the table uses. Returns false if it is neither IPv4 nor IPv6. */
bool tcp_end_take(const struct sockaddr_storage *from, struct tcp_end *out);
bool tcp_end_equal(const struct tcp_end *a, const struct tcp_end *b);

#endif
