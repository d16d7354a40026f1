/* SPDX-License-Identifier: MIT */
/* The answer of `broker credential get`: git's protocol on stdout, an error as people read it on stderr. */
#ifndef KEEPER_CREDENTIAL_ANSWER_H
#define KEEPER_CREDENTIAL_ANSWER_H

#include <time.h>

#include <base/err.h>
#include <base/secret.h>

struct credential_answer {
    char *user; /* NULL: it names none */
    struct secret *password;
    time_t expires, made; /* 0: never, not known */
};
void credential_answer_release(struct credential_answer *a);

/* `status` as waitpid(2) gives it; `said`: the end of its stderr. -1: *e has broker's own class, text and
 * hint. */
int credential_answer_take(const struct secret *text, int status, const char *said,
                           struct credential_answer *out, struct err *e);
/* The last error in `said`, with broker's own class if the status has one. */
void credential_answer_error(int status, const char *said, struct err *e);

#endif
