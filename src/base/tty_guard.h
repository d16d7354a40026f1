/* SPDX-License-Identifier: MIT */
/* The terminal that questions are asked on, and what is put back on it on every way out (tty.c). */
#ifndef BASE_TTY_GUARD_H
#define BASE_TTY_GUARD_H

#include <termios.h>

/* The descriptor, with the signals guarded; -1: there is no terminal. */
int tty_guard_open(void);
/* Clears these local modes (ECHO, ICANON) until tty_guard_speak(), which also ends the line. */
void tty_guard_hush(tcflag_t flags);
void tty_guard_speak(void);
/* The same without a line's end. */
void tty_guard_restore(void);
/* Shows a question, and again after a stop; it must live until tty_guard_speak(). */
void tty_guard_ask(const char *question);

/* The user's program that asks in the place of a terminal; NULL: there is none. */
const char *tty_askpass_program(void);

#endif
