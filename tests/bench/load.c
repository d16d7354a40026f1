/* SPDX-License-Identifier: MIT */
/*
 * Load for tunnels: a server that sends and receives bytes, and clients that measure it through a port. Both
 * have one thread with an epoll loop, and use 127.0.0.1. The protocol is not MySQL; query.c is a MySQL
 * client.
 *
 * - `load serve` prints its port, and serves until its stdin is closed.
 * - `load down|up PORT N MIB` transfers MIB over N connections: prints "MB/s".
 * - `load ping PORT N COUNT` sends 64 bytes and waits for them, COUNT times on each of N connections: prints
 *   "p50us p99us per_second".
 * - `load open PORT N` opens N connections at once until each has got one byte back: prints "ms".
 * - `load first PORT COUNT` opens COUNT connections in turn, each until its first byte comes back: prints
 *   "p50us".
 * - `load hold PORT N` prints "held", and holds N idle connections until its stdin is closed.
 *
 * A client's first nine bytes are a mode and a little-endian count: 'd' asks for that many bytes, 'u' sends
 * them and gets one byte back, 'e' gets everything back.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define PING 64
#define HELLO 9

static char chunk[CHUNK];
static int loop;

struct peer {
    int fd;
    char hello[HELLO];
    size_t greeted; /* bytes of the hello that have arrived */
    uint64_t left;  /* bytes still to transfer */
    bool writing;   /* polls for writing */
    size_t have;    /* bytes of a ping that have arrived */
    double sent;
    unsigned rounds;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct peer *p, int operation)
{
    struct epoll_event e = {.events = p->writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = p};

    if (epoll_ctl(loop, operation, p->fd, &e) < 0)
        die("epoll_ctl");
}

static void want_write(struct peer *p, bool writing)
{
    if (p->writing == writing)
        return;
    p->writing = writing;
    watch(p, EPOLL_CTL_MOD);
}

static struct peer *adopt(int fd)
{
    struct peer *p = calloc(1, sizeof *p);
    int one = 1;

    if (!p)
        die("calloc");
    p->fd = fd;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    watch(p, EPOLL_CTL_ADD);
    return p;
}

static int listen_here(unsigned *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        die("listen");
    *port = ntohs(at.sin_port);
    return fd;
}

static int dial(unsigned port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        die("connect");
    return fd;
}

/* --- the server --- */

/* Returns false if the client has closed the connection. */
static bool serve_hello(struct peer *p)
{
    ssize_t n = read(p->fd, p->hello + p->greeted, HELLO - p->greeted);

    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    p->greeted += (size_t)n;
    if (p->greeted == HELLO) {
        memcpy(&p->left, p->hello + 1, sizeof p->left);
        want_write(p, p->hello[0] == 'd');
    }
    return true;
}

static bool serve_down(struct peer *p)
{
    ssize_t n = write(p->fd, chunk, p->left < CHUNK ? (size_t)p->left : CHUNK);

    if (n < 0)
        return errno == EAGAIN;
    p->left -= (uint64_t)n;
    want_write(p, p->left > 0);
    return true;
}

static bool serve_up(struct peer *p)
{
    ssize_t n = read(p->fd, chunk, CHUNK);

    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    p->left -= (uint64_t)n;
    return p->left > 0 || write(p->fd, "k", 1) == 1;
}

static bool serve_echo(struct peer *p)
{
    ssize_t n = read(p->fd, chunk, CHUNK);

    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    return write(p->fd, chunk, (size_t)n) == n;
}

static bool serve_one(struct peer *p)
{
    if (p->greeted < HELLO)
        return serve_hello(p);
    if (p->hello[0] == 'd' && p->left > 0)
        return serve_down(p);
    return p->hello[0] == 'u' ? serve_up(p) : serve_echo(p);
}

static int serve(void)
{
    unsigned port;
    struct peer listener = {.fd = listen_here(&port)}, end = {.fd = STDIN_FILENO};
    struct epoll_event events[256];

    (void)fcntl(listener.fd, F_SETFL, O_NONBLOCK);
    watch(&listener, EPOLL_CTL_ADD);
    watch(&end, EPOLL_CTL_ADD);
    (void)printf("%u\n", port);
    (void)fflush(stdout);
    for (;;) {
        int n = epoll_wait(loop, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            int fd;
            if (p == &end)
                return 0;
            while (p == &listener && (fd = accept(listener.fd, NULL, NULL)) >= 0)
                (void)adopt(fd);
            if (p != &listener && !serve_one(p)) {
                (void)close(p->fd);
                free(p);
            }
        }
    }
}

/* --- the clients --- */

static void greet(struct peer *p, char mode, uint64_t count)
{
    char hello[HELLO] = {mode};

    memcpy(hello + 1, &count, sizeof count);
    if (write(p->fd, hello, HELLO) != HELLO)
        die("write");
}

static struct peer **connect_all(unsigned port, unsigned n, char mode, uint64_t each)
{
    struct peer **peers = calloc(n, sizeof *peers);

    for (unsigned i = 0; peers && i < n; i++) {
        peers[i] = adopt(dial(port));
        greet(peers[i], mode, each);
        peers[i]->left = each;
    }
    return peers;
}

static void bulk_down(struct peer *p)
{
    ssize_t n = read(p->fd, chunk, CHUNK);

    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("the connection was lost");
    p->left -= n > 0 ? (uint64_t)n : 0;
}

/* The last byte comes from the server, and confirms that it has got everything. */
static void bulk_up(struct peer *p)
{
    if (p->left > 1) {
        uint64_t most = p->left - 1;
        ssize_t n = write(p->fd, chunk, most < CHUNK ? (size_t)most : CHUNK);
        if (n < 0 && errno != EAGAIN)
            die("the connection was lost");
        p->left -= n > 0 ? (uint64_t)n : 0;
        want_write(p, p->left > 1);
    } else if (read(p->fd, chunk, 1) == 1) {
        p->left = 0;
    }
}

static int bulk(char mode, unsigned port, unsigned n, uint64_t mib)
{
    uint64_t each = (mib << 20) / n;
    double began = now();
    struct peer **peers = connect_all(port, n, mode, each);
    struct epoll_event events[256];
    unsigned open = n;

    for (unsigned i = 0; mode == 'u' && i < n; i++) {
        peers[i]->left++;
        want_write(peers[i], true);
    }
    while (open) {
        int ready = epoll_wait(loop, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct peer *p = events[i].data.ptr;
            if (mode == 'd')
                bulk_down(p);
            else
                bulk_up(p);
            if (p->left == 0) {
                (void)close(p->fd);
                open--;
            }
        }
    }
    (void)printf("%.0f\n", (double)(each * n) / 1e6 / (now() - began));
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void ping_send(struct peer *p)
{
    char bytes[PING] = {0};

    p->sent = now();
    p->have = 0;
    if (write(p->fd, bytes, PING) != PING)
        die("write");
}

static int ping(unsigned port, unsigned n, unsigned count)
{
    struct peer **peers = connect_all(port, n, 'e', 0);
    double *took = calloc((size_t)n * count, sizeof *took);
    struct epoll_event events[256];
    size_t done = 0, all = (size_t)n * count;

    for (unsigned round = 0; round < 2; round++) { /* the first one only warms up, with one ping each */
        double began = now();
        size_t wanted = round ? all : n;
        for (unsigned i = 0; i < n; i++) {
            peers[i]->rounds = round ? count : 1;
            ping_send(peers[i]);
        }
        for (done = 0; done < wanted;) {
            int ready = epoll_wait(loop, events, 256, -1);
            for (int i = 0; i < ready; i++) {
                struct peer *p = events[i].data.ptr;
                ssize_t got = read(p->fd, chunk, PING - p->have);
                if (got == 0 || (got < 0 && errno != EAGAIN))
                    die("the connection was lost");
                p->have += got > 0 ? (size_t)got : 0;
                if (p->have < PING)
                    continue;
                took[done++] = now() - p->sent;
                if (--p->rounds)
                    ping_send(p);
            }
        }
        if (round) {
            qsort(took, all, sizeof *took, compare);
            (void)printf("%.0f %.0f %.0f\n", took[all / 2] * 1e6, took[all * 99 / 100] * 1e6,
                         (double)all / (now() - began));
        }
    }
    return 0;
}

static int open_all(unsigned port, unsigned n)
{
    double began = now();
    struct peer **peers = connect_all(port, n, 'e', 0);
    struct epoll_event events[256];
    unsigned done = 0;

    for (unsigned i = 0; i < n; i++)
        if (write(peers[i]->fd, "x", 1) != 1)
            die("write");
    while (done < n) {
        int ready = epoll_wait(loop, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            if (read(((struct peer *)events[i].data.ptr)->fd, chunk, 1) != 1)
                die("the connection was lost");
            done++;
        }
    }
    (void)printf("%.1f\n", (now() - began) * 1e3);
    return 0;
}

static int first(unsigned port, unsigned count)
{
    double *took = calloc(count, sizeof *took);

    for (unsigned i = 0; took && i < count; i++) {
        double began = now();
        struct peer p = {.fd = dial(port)};
        greet(&p, 'e', 0);
        if (write(p.fd, "x", 1) != 1 || read(p.fd, chunk, 1) != 1)
            die("no answer");
        took[i] = now() - began;
        (void)close(p.fd);
    }
    qsort(took, count, sizeof *took, compare);
    (void)printf("%.0f\n", took[count / 2] * 1e6);
    return 0;
}

static int hold(unsigned port, unsigned n)
{
    (void)connect_all(port, n, 'e', 0);
    (void)puts("held");
    (void)fflush(stdout);
    return read(STDIN_FILENO, chunk, 1) < 0;
}

int main(int argc, char **argv)
{
    unsigned number[3] = {0};
    struct rlimit files;
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    loop = epoll_create1(0);
    for (int i = 2; i < argc && i < 5; i++)
        number[i - 2] = (unsigned)strtoul(argv[i], NULL, 10);
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "serve") == 0)
        return serve();
    if (strcmp(verb, "down") == 0 || strcmp(verb, "up") == 0)
        return bulk(verb[0], number[0], number[1], number[2]);
    if (strcmp(verb, "ping") == 0)
        return ping(number[0], number[1], number[2]);
    if (strcmp(verb, "open") == 0)
        return open_all(number[0], number[1]);
    if (strcmp(verb, "first") == 0)
        return first(number[0], number[1]);
    return strcmp(verb, "hold") == 0 ? hold(number[0], number[1]) : 2;
}
