/* SPDX-License-Identifier: MIT */
/* broker-askpass, the program with which the system's ssh asks the user questions. It is the keeper's program
 * under a second name. */
#ifndef OPENSSH_ASKPASS_H
#define OPENSSH_ASKPASS_H

#include <ipc/record.h>

/* The environment variable with the path of the keeper's socket. Each question uses one connection; the
 * answer is RECORD_OK or an error. */
#define ASKPASS_VARIABLE "BROKER_ASKPASS_SOCKET"
enum { ASKPASS_ASK = RECORD_FIRST_VERB };
enum {
    ASKPASS_TAG_PROMPT = 1, /* as passed by ssh, not sanitised */
    ASKPASS_TAG_HINT,       /* ssh's SSH_ASKPASS_PROMPT: "confirm", or "none" for a notice */
    ASKPASS_TAG_ANSWER,
};
#define ASKPASS_QUESTION_MOST 65536

/* main() of broker-askpass: sends argv[1] to the keeper and prints the answer. Returns the exit status. */
int askpass_main(int argc, char **argv);

#endif
