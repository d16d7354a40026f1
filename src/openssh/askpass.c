/* SPDX-License-Identifier: MIT */
/*
 * The program that the system's ssh runs to ask a question (ssh(1), SSH_ASKPASS): it sends the question to
 * the keeper that started that ssh, and prints the answer. It never asks the user itself.
 */
#include <openssh/askpass.h>

#include <stdlib.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>

#define SEND_MS 10000

int askpass_main(int argc, char **argv)
{
    AUTO_RECORD(question);
    AUTO_RECORD(reply);
    AUTO_SECRET(answer);
    AUTO_FD(keeper);
    const char *path = secure_getenv(ASKPASS_VARIABLE);
    struct err ignored = ERR_INIT;

    keeper = path ? fd_connect_unix(path) : -1;
    if (keeper < 0)
        return EXIT_FAILURE;
    question.kind = ASKPASS_ASK;
    record_put_str(&question, ASKPASS_TAG_PROMPT, argc > 1 ? argv[1] : "");
    record_put_str(&question, ASKPASS_TAG_HINT, secure_getenv("SSH_ASKPASS_PROMPT"));
    if (record_write(keeper, &question, clock_deadline(SEND_MS, CLOCK_NEVER), &ignored) < 0 ||
        record_read(keeper, &reply, CLOCK_NEVER, &ignored) <= 0 || reply.kind != RECORD_OK)
        return EXIT_FAILURE;
    answer = record_secret(&reply, ASKPASS_TAG_ANSWER);
    if (!answer || fd_write_all(STDOUT_FILENO, secret_bytes(answer), secret_len(answer)) < 0 ||
        fd_write_all(STDOUT_FILENO, "\n", 1) < 0)
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
