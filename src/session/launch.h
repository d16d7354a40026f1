/* SPDX-License-Identifier: MIT */
/* Everything with which a MySQL client is started: its arguments, environment and option file. */
#ifndef SESSION_LAUNCH_H
#define SESSION_LAUNCH_H

#include <session/session.h>

struct launch {
    struct words argv;
    struct env_changes env;
    int option_fd;
};
void launch_release(struct launch *l);
#define AUTO_LAUNCH(name) __attribute__((cleanup(launch_release))) struct launch name = {.option_fd = -1}

/* Returns the plan's connection together with what is known only now: the credential, and the keeper's
 * listener to which the client connects. The pointers are borrowed from the session. */
struct connection launch_connection(const struct session *s);
/* Like launch_connection(), but with host and port as well as the socket, for a program run by `exec`. */
struct connection launch_both_listeners(const struct session *s);
/* Like launch_both_listeners(), but without the socket if it leads elsewhere than the port, because a driver
 * may use either. */
struct connection launch_for_driver(const struct session *s);

/* Called before the exec. If the keeper logs in, wipes our copy of the credential, which is no longer needed.
 */
void launch_forget(struct session *s);

/* Prepares the client's start. The session must have a plan and a credential. `args` are appended to our
 * arguments; may be NULL. */
int launch_prepare(const struct session *s, char *const *args, struct launch *l, struct err *e);

/* Creates only the option file, as a descriptor that can be read repeatedly (`again`) or once.
 * FLAVOUR_UNKNOWN makes a plain file, for a program that is not a MySQL client. */
int launch_option_file(const struct session *s, enum flavour f, bool again, int *fd, bool *by_env,
                       struct err *e);

#endif
