/* SPDX-License-Identifier: MIT */
/*
 * The callback listener of a browser login (RFC 8252, section 7.3). It runs in broker-http, listens only on
 * loopback addresses, and only during that login. The steps are open, wait and finish; the code is exchanged
 * for a token before the last step, so that the browser can show the result.
 */
#ifndef IPC_CALLBACK_H
#define IPC_CALLBACK_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* Kinds and tags of broker-http's records, numbered after those in ipc/http.h. */
enum { CALLBACK_VERB_OPEN = 32, CALLBACK_VERB_WAIT, CALLBACK_VERB_PASTE, CALLBACK_VERB_FINISH };
enum {
    CALLBACK_TAG_BASE = 64, /* in OPEN: http://HOST:PORT/PATH, where the provider sends the browser */
    CALLBACK_TAG_PORT,      /* u64, in OPEN and its answer; 0 in OPEN: any free port */
    CALLBACK_TAG_STATE,     /* in WAIT: the state that the callback must have */
    CALLBACK_TAG_FORM,      /* in WAIT; present: the callback must be a POST of a form */
    CALLBACK_TAG_TIMEOUT,   /* u64, in WAIT: how long to wait, in milliseconds */
    CALLBACK_TAG_TEXT,      /* in PASTE: the URL that the user pasted */
    CALLBACK_TAG_GOOD,      /* in FINISH; present: the page says that the login succeeded */
    CALLBACK_TAG_CODE,      /* in an answer: the authorization code */
    CALLBACK_TAG_ID_TOKEN,  /* in an answer, with or instead of the code: the ID token, if a form had one */
    CALLBACK_TAG_ERROR,     /* in an answer, instead of both: the provider's error text */
};

/* The maximum length of a pasted URL, in bytes. */
#define CALLBACK_PASTE_MAX 16384

/* The result of a callback. */
struct callback {
    struct secret *code;     /* the authorization code; NULL: none */
    struct secret *id_token; /* the ID token; NULL: none; only a form can have one */
    char error[1024];        /* the provider's error text, sanitised; empty: none */
};
void callback_release(struct callback *c);
#define AUTO_CALLBACK(name) __attribute__((cleanup(callback_release))) struct callback name = {0}

/*
 * Opens a listener for `path` at *port of 127.0.0.1 and ::1. If *port is 0, uses a free port and stores it
 * there. `host` is the host in the redirect URL. Fails with ERR_UNREACHABLE if the port is taken, naming the
 * program that uses it.
 */
int callback_open(const char *host, unsigned *port, const char *path, int64_t deadline, struct err *e);

/*
 * Waits for the callback with this `state`; other requests are answered and ignored. Returns 1 and fills *out
 * if it arrived, 0 if the deadline passed, and 2 if the descriptor `other` (-1: none) is readable; the next
 * call then continues to wait.
 */
int callback_wait(const struct secret *state, bool form, int other, int64_t deadline, struct callback *out,
                  struct err *e);

/*
 * Called between two waits with the URL of the browser's last page, pasted by the user. Returns 1 and fills
 * *out if it is the callback (or if the callback has arrived at the listener in the meantime), 0 if not.
 */
int callback_paste(const struct secret *text, int64_t deadline, struct callback *out, struct err *e);

/* Shows the result of the login in the browser, if the callback came from one, and closes the listener. */
void callback_finish(bool is_good, int64_t deadline);

#endif
