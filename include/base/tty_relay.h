/* SPDX-License-Identifier: MIT */
/*
 * A pseudo-terminal for programs that have no terminal of their own and ask on /dev/tty: what they write is
 * shown on ours, sanitised and with whose it is in front of each line, and what is typed goes to them. Our
 * terminal is not touched before something was written; its Ctrl-C stays ours.
 */
#ifndef BASE_TTY_RELAY_H
#define BASE_TTY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct tty_relay {
    int master, slave, keys; /* keys: our terminal, once something was written */
    const char *whose;       /* for the lines, and the wait line */
    bool at_start;           /* of a line */
};
#define TTY_RELAY_INIT                                                                                       \
    {                                                                                                        \
        .master = -1, .slave = -1, .keys = -1, .at_start = true                                              \
    }

/* Makes it where questions can be asked on a terminal; otherwise master stays -1, and nothing is relayed. */
void tty_relay_open(struct tty_relay *r);
/* As tty_wait_readable(), and relays meanwhile; also returns, false, when the first thing was written. */
bool tty_relay_wait(struct tty_relay *r, int fd, int64_t deadline);
/* Whether something was written. */
bool tty_relay_was_used(const struct tty_relay *r);
/* Gives our terminal back until the next wait, for a question of our own. */
void tty_relay_pause(const struct tty_relay *r);
/* Gives it back, and closes the descriptors. */
void tty_relay_end(struct tty_relay *r);

#endif
