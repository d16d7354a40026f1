/* SPDX-License-Identifier: MIT */
/*
 * The terminal: questions on /dev/tty (or by an askpass program), and the line that says what a wait is for.
 * It is the only part below command/ that writes to a terminal. Echo is restored on every exit, also by a
 * signal.
 */
#ifndef BASE_TTY_H
#define BASE_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* Turns questions off; `by` (static) is the option, variable or command that did so. */
void tty_forbid_input(const char *by);
bool tty_input_forbidden(void);
/* Whether a question can be asked: a terminal, or an askpass program. */
bool tty_can_ask(void);
/* Why it cannot, for an error message, and how to fix that. Static. */
const char *tty_why_not(void);
const char *tty_way_out(void);
/* Whether there is a controlling terminal. */
bool tty_present(void);
/* The terminal, as stdin for a program that may ask questions; -1 if it may not. */
int tty_open_input(void);
/* Shows what such a program prints, sanitised. */
void tty_show(const char *text, size_t n);

/*
 * Asks on /dev/tty without echo; else by $BROKER_ASKPASS, else $SSH_ASKPASS where DISPLAY or WAYLAND_DISPLAY
 * is set. The answer has no line end. ERR_LOGIN if no question can be asked, and "cancelled" at end of file.
 */
int tty_ask_secret(const char *prompt, struct secret **out, struct err *e);
/* The same with echo, on a terminal only; the answer is malloced, without spaces at its ends. */
int tty_ask_line(const char *prompt, char **out, struct err *e);
/* Asks "[y/N]": true only for an answer that starts with y or Y. False if no question can be asked. */
bool tty_ask_yes(const char *prompt);
/* From now on a question ends with ERR_LOGIN at that deadline, or when that descriptor becomes readable or
 * hangs up because the process that asked has gone. CLOCK_NEVER and -1: neither. */
void tty_questions_end(int64_t deadline, int fd);

/*
 * A question that is answered while something else is waited for, and whose answer may be longer than a line
 * of a terminal (4,095 bytes): no echo, no line editing but backspace and Ctrl-U. `prompt` must stay until
 * the end. The descriptor to poll; -1 where nobody can be asked on a terminal.
 */
int tty_paste_begin(const char *prompt);
/* What can be read now, into `answer`. 1: a whole line is there, without its end. 0: more is to come. -1: end
 * of file, or the answer is longer than its place. */
int tty_paste_read(struct secret *answer);
/* As the terminal was. */
void tty_paste_end(void);

/* A wait line, shown after a second and on a terminal only: `waiting for WHAT (3s of 10s)`. */
struct tty_wait {
    const char *what;
    int64_t start, deadline, shown;
    int64_t most; /* the limit that it shows, ms; CLOCK_NEVER: none */
};
void tty_wait_begin(struct tty_wait *w, const char *what, int64_t deadline);
/* How many milliseconds to poll at most before calling tty_wait_tick() again; 0 at the deadline. */
int tty_wait_left(const struct tty_wait *w);
void tty_wait_tick(struct tty_wait *w);
/* Sleeps so, at most until the wait's deadline; false once that has come. */
bool tty_wait_nap(struct tty_wait *w, int64_t ms);
void tty_wait_end(struct tty_wait *w); /* erases the line */
/* Waits for a descriptor to become readable, with that line; false at the deadline. `what` NULL: no line. */
bool tty_wait_readable(int fd, const char *what, int64_t deadline);

#endif
