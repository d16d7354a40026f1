/* SPDX-License-Identifier: MIT */
/*
 * A helper: one of our programs in ../libexec/broker (found relative to the real executable and nowhere
 * else), which serves records on its fds 0 and 1 until its stdin closes. Started at the first call, ended
 * with the process.
 */
#ifndef IPC_HELPER_H
#define IPC_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <ipc/record.h>

struct helper {
    const char *name;        /* the program's file name */
    const char *waiting_for; /* shown on a terminal after a second; NULL: not shown */
    const char *sets;        /* a variable that is 1 in its environment; NULL: none */
    int to, from;
    long pid;
    struct helper *next; /* the list of running helpers */
};
#define HELPER_INIT(program, what)                                                                           \
    {                                                                                                        \
        .name = (program), .waiting_for = (what), .to = -1, .from = -1                                       \
    }

/* The path of one of our programs; malloced. */
char *helper_path(const char *name);

/*
 * One request and its answer by the deadline. An error record of the helper becomes *e. ERR_CONFIG: no such
 * helper; ERR_PROTOCOL: it broke the protocol or died; ERR_UNREACHABLE: no answer in time; ERR_DATA: the
 * request is too large. After any of these the helper is ended, and the next call starts it again.
 */
int helper_call(struct helper *h, const struct record *request, struct record *answer, int64_t deadline,
                struct err *e);

/* The two halves of a call, for a caller that waits for something else too: h->from can be read when the
 * answer is there. Each request has one answer, in the order of the requests. Errors as above. */
int helper_send(struct helper *h, const struct record *request, int64_t deadline, struct err *e);
int helper_receive(struct helper *h, struct record *answer, int64_t deadline, struct err *e);

/* Closes its stdin and reaps it; kills it if it has not ended within half a second. Does nothing if it is not
 * running. */
void helper_end(struct helper *h);
/* Ends all running helpers. Needed before an exec: the new program would find our children in its wait(2). */
void helper_end_all(void);

/*
 * The helper's own side: serves requests from fd 0 to fd 1 until end of file. The handler fills the answer or
 * *e. `settle`, if not NULL, is called once each answer is written, so that nobody waits for it. Anything
 * else written to stdout is discarded. 0 at end of file, -1 when the other side broke the protocol.
 */
typedef int helper_handler(const struct record *request, struct record *answer, struct err *e);
int helper_serve(helper_handler *handle, void (*settle)(void));

/*
 * Started as `PROGRAM --libraries`: prints a line "NAME VERSION" for each pair of `rows` (name, version, ...,
 * NULL) and returns true; the program then ends. False: it is to serve.
 */
#define HELPER_LIBRARIES "--libraries"
bool helper_lists_libraries(int argc, char *const *argv, const char *const *rows);

#endif
