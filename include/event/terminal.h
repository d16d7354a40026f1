/* SPDX-License-Identifier: MIT */
/*
 * The terminal for programs that ask on /dev/tty: a pseudo-terminal, whose master side broker connects to the
 * user's terminal until READY (base/tty_relay.h). Afterwards the pseudo-terminal stays open without a user:
 * what programs write is dropped, and a read waits.
 */
#ifndef EVENT_TERMINAL_H
#define EVENT_TERMINAL_H

/* Takes ownership of the pseudo-terminal's master side; if `fd` is -1, there is no terminal. */
void terminal_take(int fd);
/* Returns the side that a program's new session uses as its controlling terminal, or -1 if there is none (any
 * more). */
int terminal_for_child(void);
/* Must be called at READY: broker does not read the terminal any more. */
void terminal_silence(void);

#endif
