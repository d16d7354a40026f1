/* SPDX-License-Identifier: MIT */
/* The answer of `broker credential get`: git's protocol on stdout, and an error as text on stderr. */
#ifndef KEEPER_CREDENTIAL_ANSWER_H
#define KEEPER_CREDENTIAL_ANSWER_H

#include <time.h>

#include <base/err.h>
#include <base/secret.h>

struct credential_answer {
    char *user; /* NULL: the answer has no user */
    struct secret *password;
    time_t expires, made; /* expires 0: never; made 0: not known */
};
void credential_answer_release(struct credential_answer *a);

/* Parses an answer. `status` is the exit status as from waitpid(2); `said` is the end of broker's stderr.
 * Returns 0, or -1 with broker's own error class, text and hint in *e. */
int credential_answer_take(const struct secret *text, int status, const char *said,
                           struct credential_answer *out, struct err *e);
/* Sets *e to the last error in `said`, with broker's own error class if the exit status has one. */
void credential_answer_error(int status, const char *said, struct err *e);

#endif
