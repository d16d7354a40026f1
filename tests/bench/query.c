/* SPDX-License-Identifier: MIT */
/*
 * A minimal MySQL client for measurements: it logs in as `bench` without a password, runs one query, and
 * reads the result. With CA and NAME it uses TLS and verifies the server, as the stock clients do.
 *
 * - `query TARGET connect COUNT SQL [CA NAME]` connects, queries and quits, COUNT times: prints "p50us".
 * - `query TARGET select COUNT SQL [CA NAME]` repeats the query on one connection: prints "p50us MB/s".
 * - `query TARGET hold COUNT SQL [CA NAME]` opens COUNT connections, runs one query on each, prints "held",
 *   and holds them until its stdin is closed.
 *
 * TARGET is a port on 127.0.0.1 or the path of a socket.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define CLIENT_LONG_PASSWORD 0x1U
#define CLIENT_PROTOCOL_41 0x200U
#define CLIENT_SSL 0x800U
#define CLIENT_TRANSACTIONS 0x2000U
#define CLIENT_SECURE 0x8000U
#define CLIENT_PLUGIN_AUTH 0x80000U

struct link {
    int fd;
    SSL *ssl;
    unsigned char buffer[16384];
    size_t at, have;
    uint64_t bytes;
};

static SSL_CTX *context;
static const char *server_name;

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void die(const char *what)
{
    (void)fprintf(stderr, "query: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void take(struct link *l, void *to, size_t n)
{
    for (unsigned char *out = to; n;) {
        if (l->at == l->have) {
            ssize_t got = l->ssl ? SSL_read(l->ssl, l->buffer, sizeof l->buffer)
                                 : read(l->fd, l->buffer, sizeof l->buffer);
            if (got <= 0)
                die("read");
            l->at = 0;
            l->have = (size_t)got;
            l->bytes += (uint64_t)got;
        }
        size_t k = l->have - l->at < n ? l->have - l->at : n;
        memcpy(out, l->buffer + l->at, k);
        l->at += k;
        out += k;
        n -= k;
    }
}

/* Reads a packet of at most 64 KiB; a result set's packets are small. */
static size_t packet(struct link *l, unsigned char *to, unsigned char *seq)
{
    unsigned char head[4];

    take(l, head, sizeof head);
    size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (n > 65536)
        die("a packet that large");
    take(l, to, n);
    *seq = head[3];
    return n;
}

static void give(struct link *l, unsigned char seq, const void *bytes, size_t n)
{
    unsigned char out[4096] = {(unsigned char)n, (unsigned char)(n >> 8), 0, seq};

    memcpy(out + 4, bytes, n);
    ssize_t put = l->ssl ? SSL_write(l->ssl, out, (int)n + 4) : write(l->fd, out, n + 4);
    if (put != (ssize_t)n + 4)
        die("write");
}

static int dial(const char *target)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd, one = 1;

    if (target[0] == '/') {
        (void)snprintf(path.sun_path, sizeof path.sun_path, "%s", target);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&path, sizeof path) < 0)
            die(target);
        return fd;
    }
    at.sin_port = htons((uint16_t)strtoul(target, NULL, 10));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        die(target);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void start_tls(struct link *l)
{
    l->ssl = SSL_new(context);
    (void)SSL_set_fd(l->ssl, l->fd);
    (void)SSL_set1_host(l->ssl, server_name);
    if (SSL_connect(l->ssl) != 1)
        die("handshake");
}

static void log_in(struct link *l)
{
    unsigned char in[65536], answer[64] = {0}, seq;
    uint32_t flags = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_TRANSACTIONS | CLIENT_SECURE |
                     CLIENT_PLUGIN_AUTH | (context ? CLIENT_SSL : 0);
    static const char rest[] = "bench\0\0mysql_native_password";
    unsigned char next = 1;

    (void)packet(l, in, &seq);
    if (in[0] == 0xff)
        die((const char *)in + 3);
    for (int i = 0; i < 4; i++)
        answer[i] = (unsigned char)(flags >> 8 * i);
    answer[7] = 1; /* 16 MiB */
    answer[8] = 45;
    if (context) {
        give(l, next++, answer, 32);
        start_tls(l);
    }
    memcpy(answer + 32, rest, sizeof rest);
    give(l, next, answer, 32 + sizeof rest);
    while (packet(l, in, &seq) && in[0] == 0xfe)
        give(l, (unsigned char)(seq + 1), "", 0);
    if (in[0] != 0)
        die((const char *)in + 9);
}

/* Reads until the second EOF packet: columns, then rows. */
static void query(struct link *l, const char *sql)
{
    unsigned char in[65536], command[1024] = {3}, seq;
    size_t n = strlen(sql);

    memcpy(command + 1, sql, n);
    give(l, 0, command, n + 1);
    if (packet(l, in, &seq) && in[0] == 0xff)
        die((const char *)in + 9);
    for (unsigned ends = 0; ends < 2;) {
        size_t got = packet(l, in, &seq);
        ends += in[0] == 0xfe && got < 9;
    }
}

static void quit(struct link *l)
{
    give(l, 0, "\1", 1);
    SSL_free(l->ssl);
    (void)close(l->fd);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void prepare_tls(const char *ca, const char *name)
{
    context = SSL_CTX_new(TLS_client_method());
    server_name = name;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_file(context, ca) != 1)
        die(ca);
}

static int hold(const char *target, size_t count, const char *sql)
{
    struct link *links = calloc(count, sizeof *links);
    char end;

    for (size_t i = 0; links && i < count; i++) {
        links[i].fd = dial(target);
        log_in(&links[i]);
        query(&links[i], sql);
    }
    (void)puts("held");
    (void)fflush(stdout);
    (void)!read(STDIN_FILENO, &end, 1);
    free(links);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    size_t count = strtoul(argv[3], NULL, 10);
    bool connects = strcmp(argv[2], "connect") == 0;
    double *took = calloc(count + 1, sizeof *took), began = 0;
    static struct link link;

    if (argc > 6)
        prepare_tls(argv[5], argv[6]);
    if (strcmp(argv[2], "hold") == 0) {
        free(took);
        return hold(argv[1], count, argv[4]);
    }
    for (size_t i = 0; took && i <= count; i++) { /* the first one only warms up */
        began = now();
        if (connects || i == 0) {
            link = (struct link){.fd = dial(argv[1])};
            log_in(&link);
        }
        link.bytes = 0;
        query(&link, argv[4]);
        if (connects)
            quit(&link);
        took[i] = now() - began;
    }
    qsort(took + 1, count, sizeof *took, compare);
    double middle = took[1 + count / 2];
    (void)printf("%.0f %.0f\n", middle * 1e6, (double)link.bytes / middle / 1e6);
    free(took);
    return 0;
}
