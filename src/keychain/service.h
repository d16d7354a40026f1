/* SPDX-License-Identifier: MIT */
/* Access to the Secret Service: one asynchronous call at a time with a deadline, its errors as ours, and
 * whether there is a service. */
#ifndef KEYCHAIN_SERVICE_H
#define KEYCHAIN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>

#include <libsecret/secret.h>

/* One asynchronous call: give wait->cancel, wait_done and the wait itself to libsecret, then call wait_run().
 */
struct wait {
    GMainLoop *loop;
    GCancellable *cancel;
    GAsyncResult *result;
    bool started, abandoned;
};
struct wait *wait_new(void);
void wait_end(struct wait **w);
#define AUTO_WAIT(name) __attribute__((cleanup(wait_end))) struct wait *name = wait_new()

/* The callback; its data is the struct wait. */
void wait_done(GObject *source, GAsyncResult *result, gpointer wait);
/*
 * Returns the call's result. Past the deadline the call is cancelled and usually reports that
 * (service_is_late()); NULL if it does not, as libsecret does not while a prompt is shown.
 */
GAsyncResult *wait_run(struct wait *w, int64_t deadline);

/* Whether an error of a call means that the deadline has passed. */
bool service_is_late(const GError *error);
/* ERR_UNREACHABLE: no answer in time at that step. Returns -1. */
int service_fail_late(struct err *e, const char *step);
/* Fills *e from the service's error at that step, frees the error, and returns -1. */
int service_fail(struct err *e, GError *error, const char *step);
/* ERR_LOGIN "the keychain is locked: WHY", with its hint. */
int service_fail_locked(struct err *e, const char *why);

/* The service with a session for encrypted transfer. NULL with ERR_UNREACHABLE if there is none. */
SecretService *service_open(int64_t deadline, struct err *e);

#endif
