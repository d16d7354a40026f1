/* SPDX-License-Identifier: MIT */
/* Access to the Secret Service: asynchronous calls with a deadline, conversion of errors, and the connection
 * to the service. */
#ifndef KEYCHAIN_SERVICE_H
#define KEYCHAIN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>

#include <libsecret/secret.h>

/* One asynchronous call. Pass w->cancel, wait_done and the wait itself to a libsecret function, then call
 * wait_run(). */
struct wait {
    GMainLoop *loop;
    GCancellable *cancel;
    GAsyncResult *result;
    bool started, abandoned;
};
struct wait *wait_new(void);
void wait_end(struct wait **w);
#define AUTO_WAIT(name) __attribute__((cleanup(wait_end))) struct wait *name = wait_new()

/* The callback for libsecret; its data is the struct wait. */
void wait_done(GObject *source, GAsyncResult *result, gpointer wait);
/*
 * Runs the main loop until the call finishes and returns its result. At the deadline the call is cancelled;
 * usually it then finishes with an error (see service_is_late()). Returns NULL if it does not, for example
 * while the service shows a prompt.
 */
GAsyncResult *wait_run(struct wait *w, int64_t deadline);

/* Returns whether an error means that the deadline has passed. */
bool service_is_late(const GError *error);
/* Sets ERR_UNREACHABLE, "STEP: no answer in time". Returns -1. */
int service_fail_late(struct err *e, const char *step);
/* Sets *e from an error of the service at that step, frees the error, and returns -1. */
int service_fail(struct err *e, GError *error, const char *step);
/* Sets ERR_LOGIN, "the keychain is locked: WHY", with a hint. Returns -1. */
int service_fail_locked(struct err *e, const char *why);

/* Connects to the service and opens a session for encrypted transfer. Returns NULL with ERR_UNREACHABLE if
 * there is no service. */
SecretService *service_open(int64_t deadline, struct err *e);

#endif
