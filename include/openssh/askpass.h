/* The keeper under its second name: the program that the system's ssh asks its questions through. */
#ifndef OPENSSH_ASKPASS_H
#define OPENSSH_ASKPASS_H

#include <ipc/record.h>

/* The socket that it finds the keeper by. One question a connection, answered by RECORD_OK or an error. */
#define ASKPASS_VARIABLE "BROKER_ASKPASS_SOCKET"
enum { ASKPASS_ASK = RECORD_FIRST_VERB };
enum {
    ASKPASS_TAG_PROMPT = 1, /* as ssh gives it, unsanitised */
    ASKPASS_TAG_HINT,       /* ssh's SSH_ASKPASS_PROMPT: "confirm", or "none" for what is only to be seen */
    ASKPASS_TAG_ANSWER,
};
#define ASKPASS_QUESTION_MOST 65536

/* main() of broker-askpass: takes argv[1] to the keeper, prints the answer. The exit status. */
int askpass_main(int argc, char **argv);

#endif
