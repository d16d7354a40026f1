/* Reaching the Secret Service: one asynchronous call at a time by a deadline, its errors in our words, and
 * whether there is one at all. */
#ifndef KEYCHAIN_SERVICE_H
#define KEYCHAIN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>

#include <libsecret/secret.h>

/* One asynchronous call: give `cancel` and wait_done with it to libsecret, then call wait_run(). */
struct wait {
    GMainLoop *loop;
    GCancellable *cancel;
    GAsyncResult *result;
};

void wait_release(struct wait *w);
#define AUTO_WAIT(name)                                                                                      \
    __attribute__((cleanup(wait_release))) struct wait name = {g_main_loop_new(NULL, FALSE),                 \
                                                               g_cancellable_new(), NULL}

/* The callback; its data is the struct wait. */
void wait_done(GObject *source, GAsyncResult *result, gpointer wait);
/* Gives the result, which is there even when time was up: G_IO_ERROR_CANCELLED then. */
GAsyncResult *wait_run(struct wait *w, int64_t deadline);

/* Whether an error of a call means that time was up. */
bool service_is_late(const GError *error);
/* Makes *e of what the service said at that step, frees the error, and returns -1. */
int service_fail(struct err *e, GError *error, const char *step);
/* ERR_LOGIN "the keychain is locked: WHY", with its hint. */
int service_fail_locked(struct err *e, const char *why);

/* The service with a session for encrypted transfer. NULL with ERR_UNREACHABLE where there is none. */
SecretService *service_open(int64_t deadline, struct err *e);

#endif
