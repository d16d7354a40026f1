/* SPDX-License-Identifier: MIT */
/*
 * A pseudo-terminal for programs that have no terminal of their own and ask on /dev/tty. Their output is
 * shown on our terminal, sanitised and with the program's name in front of each line, and what the user types
 * goes to them. Our terminal is not touched before the first output; Ctrl-C still reaches us.
 */
#ifndef BASE_TTY_RELAY_H
#define BASE_TTY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct tty_relay {
    int master, slave, keys; /* keys: our terminal, after the first output; each -1 if unused */
    const char *whose;       /* the program's name, shown in each line and in the wait line */
    bool at_start;           /* the next output begins a line */
};
#define TTY_RELAY_INIT                                                                                       \
    {                                                                                                        \
        .master = -1, .slave = -1, .keys = -1, .at_start = true                                              \
    }

/* Opens the pseudo-terminal if questions can be asked on a terminal; otherwise `master` stays -1 and nothing
 * is relayed. */
void tty_relay_open(struct tty_relay *r);
/* Like tty_wait_readable(), and relays in the meantime; also returns false when the program writes for the
 * first time. */
bool tty_relay_wait(struct tty_relay *r, int fd, int64_t deadline);
/* Returns true if the program has written something. */
bool tty_relay_was_used(const struct tty_relay *r);
/* Restores our terminal until the next wait, so that we can ask a question ourselves. */
void tty_relay_pause(const struct tty_relay *r);
/* Restores our terminal and closes the descriptors. */
void tty_relay_end(struct tty_relay *r);

#endif
