/* SPDX-License-Identifier: MIT */
/*
 * AWSAuthenticationPlugin for MariaDB, for tests only; RDS has a plug-in of that name. Its client side is
 * mysql_clear_password. It sends "user NUL peer NUL token" to a verifier (iam_verifier.py) on the Unix socket
 * $RDS_IAM_SOCKET, accepts the login if the answer begins with '+', and writes the answer to the server's log.
 * No headers of the server are needed, because the plug-in interface is declared below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define USERNAME_SIZE 513
#define CR_ERROR 0
#define CR_OK (-1)

struct vio {
    int (*read_packet)(struct vio *, unsigned char **);
    int (*write_packet)(struct vio *, const unsigned char *, int);
    void (*info)(struct vio *, void *);
};

struct auth_info {
    const char *user_name;
    unsigned user_name_length;
    const char *auth_string;
    unsigned long auth_string_length;
    char authenticated_as[USERNAME_SIZE], external_user[USERNAME_SIZE];
    int password_used;
    const char *host_or_ip;
    unsigned host_or_ip_length;
    void *thd;
};

struct auth {
    int interface_version;
    const char *client_auth_plugin;
    int (*authenticate_user)(struct vio *, struct auth_info *);
    int (*hash_password)(const char *, size_t, char *, size_t *);
    int (*preprocess_hash)(const char *, size_t, unsigned char *, size_t *);
};

struct plugin {
    int type;
    void *info;
    const char *name, *author, *descr;
    int license;
    int (*init)(void *), (*deinit)(void *);
    unsigned version;
    void *status_vars, *system_vars;
    const char *version_info;
    unsigned maturity;
};

static int put(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static void ask(const char *user, const char *peer, const void *token, size_t n, char *answer, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("RDS_IAM_SOCKET");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t got = 0;
    ssize_t more;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path ? path : "");
    snprintf(answer, size, "- verifier unreachable");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && put(fd, user, strlen(user) + 1) == 0 &&
        put(fd, peer, strlen(peer) + 1) == 0 && put(fd, token, n) == 0 && shutdown(fd, SHUT_WR) == 0) {
        while (got < size - 1 && (more = read(fd, answer + got, size - 1 - got)) > 0)
            got += (size_t)more;
        answer[got] = '\0';
    }
    close(fd);
}

static int authenticate(struct vio *v, struct auth_info *i)
{
    const char *peer = i->host_or_ip ? i->host_or_ip : "?";
    unsigned char *packet;
    int n = v->read_packet(v, &packet);
    char answer[600];

    if (n < 0)
        return CR_ERROR;
    i->password_used = n > 1;
    if (n && packet[n - 1] == 0)
        n--; /* mysql_clear_password sends the terminating NUL too */
    ask(i->user_name, peer, packet, (size_t)n, answer, sizeof answer);
    fprintf(stderr, "rds_iam: user=%s peer=%s token_bytes=%d -> %s\n", i->user_name, peer, n, answer);
    return answer[0] == '+' ? CR_OK : CR_ERROR;
}

static struct auth handler = {0x0202, "mysql_clear_password", authenticate, NULL, NULL};

#define EXPORT __attribute__((visibility("default")))
EXPORT int _maria_plugin_interface_version_ = 0x010f;
EXPORT int _maria_sizeof_struct_st_plugin_ = sizeof(struct plugin);
EXPORT struct plugin _maria_plugin_declarations_[] = {
    {7, &handler, "AWSAuthenticationPlugin", "tests", "RDS IAM stand-in", 1, NULL, NULL, 0x0100, NULL, NULL, "1.0",
     5 /* stable */},
    {0},
};
