/* SPDX-License-Identifier: MIT */
/*
 * The terminal of programs that ask on /dev/tty: a pseudo-terminal, whose other end broker shows to the
 * person until READY (base/tty_relay.h). Afterwards it stays, and nobody is there: what is written is
 * dropped, a read waits.
 */
#ifndef EVENT_TERMINAL_H
#define EVENT_TERMINAL_H

/* Takes over the master's end; where it is none, there is no terminal. */
void terminal_take(int fd);
/* The end that a program's new session makes its controlling terminal; -1: there is none, or no more. */
int terminal_for_child(void);
/* At READY: nobody reads the other end any more. */
void terminal_silence(void);

#endif
