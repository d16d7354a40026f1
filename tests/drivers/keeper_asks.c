/* SPDX-License-Identifier: MIT */
/*
 * keeper_asks BROKER REQUEST: sends a request to `BROKER credential get` as a keeper does, over a socket
 * pair of which one socket is the program's stdin and stdout, and prints the answer. broker takes it for a
 * keeper only if its file is in the place of broker-keeper.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int ends[2], status = 0;
    char text[4096];
    ssize_t n;

    if (argc != 3 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return 99;
    pid_t child = fork();
    if (child == 0) {
        if (dup2(ends[1], 0) >= 0 && dup2(ends[1], 1) >= 0)
            execl(argv[1], argv[1], "credential", "get", (char *)NULL);
        _exit(98);
    }
    (void)close(ends[1]);
    if (child < 0 || write(ends[0], argv[2], strlen(argv[2])) < 0)
        return 97;
    (void)shutdown(ends[0], SHUT_WR);
    while ((n = read(ends[0], text, sizeof text)) > 0)
        (void)fwrite(text, 1, (size_t)n, stdout);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}
