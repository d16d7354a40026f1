/* SPDX-License-Identifier: MIT */
/* The system's table of TCP sockets: who listens, and whose the other end of a connection of this machine is.
 */
#ifndef BASE_TCP_TABLE_H
#define BASE_TCP_TABLE_H

#include <netinet/in.h>
#include <stdbool.h>

struct tcp_end {
    struct in6_addr at; /* an IPv4 address is mapped */
    unsigned port;
};

struct tcp_socket {
    bool v6;
    struct tcp_end local, remote;
    bool listens, connected; /* neither: on its way to one of them, or to its end */
    bool is_open;            /* some process has it; else it has no user either */
    unsigned uid;
    unsigned long inode; /* 0 where sock_diag has said it */
};

/* Shows the sockets of one family, listeners first, until look() is true; false where it never was. */
bool tcp_table_walk(bool v6, bool (*look)(const struct tcp_socket *s, void *context), void *context);

/*
 * The socket of this machine that serves what comes from `remote` to `local`: that of the connection, else
 * who listens there (only `listens`, `connected`, `is_open` and `uid` are filled in). `remote` NULL: who
 * listens. False: none that can be seen; another network namespace's cannot.
 */
bool tcp_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out);
/* The same by the table alone, whose cost grows with it. */
bool tcp_table_find(const struct tcp_end *local, const struct tcp_end *remote, struct tcp_socket *out);

/* One line of the table. False: it is none. */
bool tcp_socket_parse(const char *line, struct tcp_socket *out);

/* The same as the table has it. False for an address of another family. */
bool tcp_end_take(const struct sockaddr_storage *from, struct tcp_end *out);
bool tcp_end_equal(const struct tcp_end *a, const struct tcp_end *b);

#endif
