/* SPDX-License-Identifier: MIT */
/*
 * The terminal: questions on /dev/tty (or by an askpass program), and the line that says what a wait is for.
 * Below command/, only this module writes to a terminal. Echo is restored on every exit, also after a signal.
 */
#ifndef BASE_TTY_H
#define BASE_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* Forbids questions; `by` (static) is the option, variable or command that forbids them. */
void tty_forbid_input(const char *by);
bool tty_input_forbidden(void);
/* Returns true if a question can be asked: there is a terminal or an askpass program, and questions are
 * allowed. */
bool tty_can_ask(void);
/* Return, for an error message, why no question can be asked, and how to fix that. Both are static. */
const char *tty_why_not(void);
const char *tty_way_out(void);
/* Returns true if this process has a controlling terminal. */
bool tty_present(void);
/* Returns true if there is a display: DISPLAY or WAYLAND_DISPLAY is set and not empty, as for ssh. */
bool tty_has_display(void);
/* Opens the terminal as stdin for a program that may ask questions; returns -1 if questions are not allowed.
 * */
int tty_open_input(void);
/* Prints the output of such a program on the terminal, sanitised. */
void tty_show(const char *text, size_t n);

/*
 * Asks on /dev/tty without echo; else by $BROKER_ASKPASS, or by $SSH_ASKPASS if there is a display.
 * The answer has no line end. ERR_LOGIN if no question can be asked, and with "cancelled" at end of file.
 */
int tty_ask_secret(const char *prompt, struct secret **out, struct err *e);
/* Asks with echo, on a terminal only. The answer is malloced, without spaces at its ends. Errors are those of
 * tty_ask_secret(). */
int tty_ask_line(const char *prompt, char **out, struct err *e);
/* Asks "[y/N]". Returns true only if the answer starts with y or Y; false if no question can be asked. */
bool tty_ask_yes(const char *prompt);
/* Makes later questions end with ERR_LOGIN at the deadline, or when `fd` becomes readable or hangs up because
 * the process that asked has gone. CLOCK_NEVER and -1 turn this off. */
void tty_questions_end(int64_t deadline, int fd);

/*
 * Starts a question that is answered while the caller waits for something else, and whose answer may be
 * longer than a terminal line (4,095 bytes). There is no echo and no line editing except backspace and
 * Ctrl-U. `prompt` must stay valid until tty_paste_end(). Returns the descriptor to poll, or -1 if no
 * question can be asked on a terminal.
 */
int tty_paste_begin(const char *prompt);
/* Appends what can be read now to `answer`. Returns 1 if a whole line has been read (without its line end), 0
 * if more is to come, -1 at end of file or if the answer does not fit. */
int tty_paste_read(struct secret *answer);
/* Ends the question and restores the terminal. */
void tty_paste_end(void);

/* A wait line, shown only on a terminal and after a second: `waiting for WHAT (3s of 10s)`. */
struct tty_wait {
    const char *what;
    int64_t start, deadline, shown;
    int64_t most; /* the limit to show, in ms; CLOCK_NEVER: none */
};
void tty_wait_begin(struct tty_wait *w, const char *what, int64_t deadline);
/* Returns for how many milliseconds to poll before the next call of tty_wait_tick(); 0 at the deadline. */
int tty_wait_left(const struct tty_wait *w);
void tty_wait_tick(struct tty_wait *w);
/* Sleeps `ms` and updates the wait line, at most until the wait's deadline. Returns false at the deadline. */
bool tty_wait_nap(struct tty_wait *w, int64_t ms);
void tty_wait_end(struct tty_wait *w); /* erases the wait line */
/* Waits until a descriptor is readable and shows a wait line; returns false at the deadline. With `what`
 * NULL, no line is shown. */
bool tty_wait_readable(int fd, const char *what, int64_t deadline);

#endif
