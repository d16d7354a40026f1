/* SPDX-License-Identifier: MIT */
/*
 * A helper is one of broker's own programs in ../libexec/broker, relative to the real path of the executable.
 * It serves records on its stdin and stdout until stdin is closed. It is started by the first call, and ended
 * at the latest when broker exits.
 */
#ifndef IPC_HELPER_H
#define IPC_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <ipc/record.h>

struct helper {
    const char *name;        /* the program's file name */
    const char *waiting_for; /* shown on a terminal after a second of waiting; NULL: nothing */
    const char *sets;        /* an environment variable to set to 1 for the helper; NULL: none */
    int to, from;
    long pid;
    struct helper *next; /* the next one in the list of running helpers */
};
#define HELPER_INIT(program, what)                                                                           \
    {                                                                                                        \
        .name = (program), .waiting_for = (what), .to = -1, .from = -1                                       \
    }

/* Returns the path of one of broker's own programs. The caller frees it. */
char *helper_path(const char *name);

/*
 * Sends a request and receives its answer by the deadline. If the answer is an error record, fails with that
 * error. Other errors are ERR_CONFIG (the helper is not installed), ERR_PROTOCOL (it violated the protocol or
 * died), ERR_UNREACHABLE (no answer in time) and ERR_DATA (the request is too large). After these the helper
 * is ended, and the next call starts it again.
 */
int helper_call(struct helper *h, const struct record *request, struct record *answer, int64_t deadline,
                struct err *e);

/* The two halves of helper_call(), for a caller that also waits for something else: h->from is readable when
 * the answer arrives. Each request has one answer, in the order of the requests. Same errors. */
int helper_send(struct helper *h, const struct record *request, int64_t deadline, struct err *e);
int helper_receive(struct helper *h, struct record *answer, int64_t deadline, struct err *e);

/* Closes the helper's stdin and waits for it; kills it after half a second. Does nothing if it is not
 * running. */
void helper_end(struct helper *h);
/* Ends all running helpers. Needed before exec(), because the new program would inherit them as its
 * children. */
void helper_end_all(void);

/*
 * The main loop of a helper program: serves requests from fd 0 to fd 1 until end of file. The handler fills
 * the answer, or sets *e and returns -1. `settle`, if not NULL, is called after each answer has been written,
 * so that broker does not wait for it. Other output to stdout is discarded. Returns 0 at end of file, -1 if
 * broker violated the protocol.
 */
typedef int helper_handler(const struct record *request, struct record *answer, struct err *e);
int helper_serve(helper_handler *handle, void (*settle)(void));

/*
 * If the program was started as `PROGRAM --libraries`: prints a line "NAME VERSION" for each pair in `rows`
 * (name, version, ..., NULL) and returns true; the program must then exit. Otherwise returns false.
 */
#define HELPER_LIBRARIES "--libraries"
bool helper_lists_libraries(int argc, char *const *argv, const char *const *rows);

#endif
