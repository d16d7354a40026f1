/*
 * What the system's ssh runs to ask a question (ssh(1), SSH_ASKPASS): it hands the question to the keeper
 * that has started that ssh, and the answer back. It asks nobody itself, and says nothing.
 */
#include "askpass.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>

#define SEND_MS 10000

static int connect_keeper(void)
{
    const char *path = secure_getenv(ASKPASS_VARIABLE);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    AUTO_FD(fd);

    if (!path || strlen(path) >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) < 0)
        return -1;
    return fd_take(&fd);
}

int askpass_main(int argc, char **argv)
{
    AUTO_RECORD(question);
    AUTO_RECORD(said);
    AUTO_SECRET(answer);
    AUTO_FD(keeper);
    struct err ignored = ERR_INIT;

    keeper = connect_keeper();
    if (keeper < 0)
        return EXIT_FAILURE;
    question.kind = ASKPASS_ASK;
    record_put_str(&question, ASKPASS_TAG_PROMPT, argc > 1 ? argv[1] : "");
    record_put_str(&question, ASKPASS_TAG_HINT, secure_getenv("SSH_ASKPASS_PROMPT"));
    if (record_write(keeper, &question, clock_deadline(SEND_MS, CLOCK_NEVER), &ignored) < 0 ||
        record_read(keeper, &said, CLOCK_NEVER, &ignored) <= 0 || said.kind != RECORD_OK)
        return EXIT_FAILURE;
    answer = record_secret(&said, ASKPASS_TAG_ANSWER);
    if (!answer || fd_write_all(STDOUT_FILENO, secret_bytes(answer), secret_len(answer)) < 0 ||
        fd_write_all(STDOUT_FILENO, "\n", 1) < 0)
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
