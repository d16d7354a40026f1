/* SPDX-License-Identifier: MIT */
/*
 * ask PORT: sends its stdin to a port of this machine and reads until the server closes. It does the minimum
 * that a client must do: what it takes longer than an empty program is the server's own time.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[4096], answer[65536];
    ssize_t n = read(STDIN_FILENO, request, sizeof request), got;
    size_t have = 0;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    if (argc != 2 || n <= 0 || s < 0)
        return 64;
    to.sin_port = htons((unsigned short)atoi(argv[1]));
    if (connect(s, (struct sockaddr *)&to, sizeof to) < 0 || write(s, request, (size_t)n) != n)
        return 1;
    while (have < sizeof answer && (got = read(s, answer + have, sizeof answer - have)) > 0)
        have += (size_t)got;
    return have > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0 ? 0 : 1;
}
