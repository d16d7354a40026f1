/*
 * The terminal: questions on /dev/tty (or an askpass program), and the line that says what a wait is for. The
 * only part below command/ that writes to a terminal. Echo is restored on every way out, signals included.
 */
#ifndef BASE_TTY_H
#define BASE_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* No question is ever asked; `by`, static, is the option or the variable that says so. */
void tty_forbid_input(const char *by);
bool tty_input_forbidden(void);
/* Whether a question can be asked: a terminal, or an askpass program. */
bool tty_can_ask(void);
/* Why it cannot, in an error's words, and what mends that. Static. */
const char *tty_why_not(void);
const char *tty_way_out(void);
/* Whether a person sits at a controlling terminal. */
bool tty_present(void);
/* The terminal, as the stdin of a program that may ask; -1 where no question may be asked there. */
int tty_open_input(void);
/* Shows there what such a program says, cleaned. */
void tty_show(const char *text, size_t n);

/*
 * Asks on /dev/tty without echo; else by $BROKER_ASKPASS, else $SSH_ASKPASS where DISPLAY or WAYLAND_DISPLAY
 * is set. The answer has no line end. ERR_LOGIN where nobody can be asked, "cancelled" where end of file
 * came.
 */
int tty_ask_secret(const char *prompt, struct secret **out, struct err *e);
/* The same with echo, on a terminal only; malloced answer, blanks at the ends dropped. */
int tty_ask_line(const char *prompt, char **out, struct err *e);
/* "[y/N]": true only for an answer that starts with y or Y. False where nobody can be asked. */
bool tty_ask_yes(const char *prompt);
/* From now on a question ends, with ERR_LOGIN, at that moment, or where that descriptor becomes readable or
 * hangs up, as it does when whoever asked has gone; CLOCK_NEVER and -1: neither. */
void tty_questions_end(int64_t deadline, int fd);

/* A wait that shows itself after a second: `waiting for WHAT (3s of 10s)`, on a terminal only. */
struct tty_wait {
    const char *what;
    int64_t start, deadline, shown;
    int64_t most; /* what it says that it may take, ms; CLOCK_NEVER: nothing */
};
void tty_wait_begin(struct tty_wait *w, const char *what, int64_t deadline);
/* Milliseconds to poll for at most before calling tty_wait_tick() again; 0 when the deadline has come. */
int tty_wait_left(const struct tty_wait *w);
void tty_wait_tick(struct tty_wait *w);
void tty_wait_end(struct tty_wait *w); /* erases the line */
/* Waits so for a descriptor to become readable; false at the deadline. `what` NULL: silent. */
bool tty_wait_readable(int fd, const char *what, int64_t deadline);

#endif
