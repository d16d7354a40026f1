/* SPDX-License-Identifier: MIT */
/* The keeper under its second name: the program through which the system's ssh asks questions. */
#ifndef OPENSSH_ASKPASS_H
#define OPENSSH_ASKPASS_H

#include <ipc/record.h>

/* The socket of the keeper. One question per connection, answered by RECORD_OK or an error. */
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
