/* SPDX-License-Identifier: MIT */
/*
 * The listener for the end of a login in a browser (RFC 8252 section 7.3), which lives in broker-http: it is
 * open only for that login, on the loopback addresses of this machine. Three steps: open, wait, finish; the
 * exchange of the code for a token is between the last two, so that the browser shows what came of it.
 */
#ifndef IPC_CALLBACK_H
#define IPC_CALLBACK_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* Verbs and tags of broker-http's records, behind those of ipc/http.h. */
enum { CALLBACK_VERB_OPEN = 32, CALLBACK_VERB_WAIT, CALLBACK_VERB_PASTE, CALLBACK_VERB_FINISH };
enum {
    CALLBACK_TAG_BASE = 64, /* to open: http://HOST:PORT/PATH, as the provider sends the browser to it */
    CALLBACK_TAG_PORT,      /* u64, to open, 0: a free one; and in its answer */
    CALLBACK_TAG_STATE,     /* to wait: what the request must have */
    CALLBACK_TAG_FORM,      /* to wait, present: it must be a POST */
    CALLBACK_TAG_TIMEOUT,   /* u64, to wait, milliseconds */
    CALLBACK_TAG_TEXT,      /* to paste */
    CALLBACK_TAG_GOOD,      /* to finish, present: the page says that the login is done */
    CALLBACK_TAG_CODE,      /* in an answer */
    CALLBACK_TAG_ID_TOKEN,  /* beside it or in its place, where the provider sent one by a form */
    CALLBACK_TAG_ERROR,     /* in the place of both: the provider's own words */
};

/* A pasted address is no longer. */
#define CALLBACK_PASTE_MAX 16384

/* What came back. */
struct callback {
    struct secret *code;     /* NULL: none */
    struct secret *id_token; /* NULL: none; only by a form */
    char error[1024];        /* fit for a terminal; empty: none */
};
void callback_release(struct callback *c);
#define AUTO_CALLBACK(name) __attribute__((cleanup(callback_release))) struct callback name = {0}

/*
 * Opens the listener for `path` at PORT of 127.0.0.1 and ::1. *port 0: a free one, which it then is. `host`
 * is how the browser is sent there. ERR_UNREACHABLE, naming who holds it, where the port is taken.
 */
int callback_open(const char *host, unsigned *port, const char *path, int64_t deadline, struct err *e);

/*
 * Waits for the request with that `state`; others are answered and ignored. 1: it came, *out says what it
 * was. 0: not by the deadline. 2: `other` (a descriptor, or -1) can be read: the wait goes on with the next
 * call.
 */
int callback_wait(const struct secret *state, bool form, int other, int64_t deadline, struct callback *out,
                  struct err *e);

/*
 * Between two waits: takes the address that the browser ended at, as a person pasted it. 1: it is the one,
 * *out says what it was (or what came by the listener meanwhile). 0: it is not.
 */
int callback_paste(const struct secret *text, int64_t deadline, struct callback *out, struct err *e);

/* Shows the browser, if it came, how the login ended, and closes the listener. */
void callback_finish(bool is_good, int64_t deadline);

#endif
