/* SPDX-License-Identifier: MIT */
/* Everything that a stock client is started with: its arguments, environment and option file. */
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

/* The plan's connection with what only the walk knows: the credential, and the keeper's end that the client
 * dials. Borrows from the session. */
struct connection launch_connection(const struct session *s);
/* The same with host and port, and the socket beside them: what a program of `exec` is told. */
struct connection launch_both_ends(const struct session *s);
/* Without the socket if that leads elsewhere than the port, because a driver may use either. */
struct connection launch_for_driver(const struct session *s);

/* Before the exec: if the keeper logs in, broker's own copy of the credential is of no more use. */
void launch_forget(struct session *s);

/* The session must have a plan and a credential. `args` go after ours; may be NULL. */
int launch_prepare(const struct session *s, char *const *args, struct launch *l, struct err *e);

/* Only the option file, in a descriptor that can be read repeatedly (`again`) or once. FLAVOUR_UNKNOWN: the
 * plain file, for a program that is not a stock client. */
int launch_option_file(const struct session *s, enum flavour f, bool again, int *fd, bool *by_env,
                       struct err *e);

#endif
