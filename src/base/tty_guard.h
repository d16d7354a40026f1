/* SPDX-License-Identifier: MIT */
/* The terminal on which questions are asked, and what is restored on it however the program ends (tty.c). */
#ifndef BASE_TTY_GUARD_H
#define BASE_TTY_GUARD_H

#include <termios.h>

/* Returns the terminal's descriptor and installs the signal handlers that restore it; -1 if there is no
 * terminal. */
int tty_guard_open(void);
/* Turns off these local modes (ECHO, ICANON) until tty_guard_speak(), which restores them and ends the line.
 * */
void tty_guard_hush(tcflag_t flags);
void tty_guard_speak(void);
/* Restores the modes without ending the line. */
void tty_guard_restore(void);
/* Shows a question, also again after the process was stopped; the text must stay valid until
 * tty_guard_speak(). */
void tty_guard_ask(const char *question);

/* Returns the user's askpass program, used instead of a terminal; NULL if there is none. */
const char *tty_askpass_program(void);

#endif
