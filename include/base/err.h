/* SPDX-License-Identifier: MIT */
/*
 * One error value. It is passed down, filled where the failure happens, and printed once by command/. It says
 * what happened, with detail lines, and how to fix it. It allocates nothing and never holds a secret.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* The classes of failure; each has one exit status (SPEC: exit). The value is that status. */
enum err_code {
    ERR_NONE = 0,
    ERR_USAGE = 64,       /* the command line */
    ERR_DATA = 65,        /* bad input data: URL, protocol input, PEM */
    ERR_UNREACHABLE = 69, /* DNS, TCP, TLS, tunnel, timeout */
    ERR_BUG = 70,         /* ours */
    ERR_IO = 74,          /* read or write failed */
    ERR_TRY_LATER = 75,   /* the same command may work later */
    ERR_PROTOCOL = 76,    /* the peer broke its protocol */
    ERR_REFUSED = 77,     /* the other side said no */
    ERR_CONFIG = 78,      /* config, no such profile, a helper missing */
    ERR_LOGIN = 79,       /* a person must log in */
    ERR_NOT_RUNNABLE = 126,
    ERR_NOT_FOUND = 127,
};

struct err {
    enum err_code code;
    unsigned number; /* MySQL's, of a server or client, which `msg` begins with; 0: none */
    char what[512];  /* file:line or what was typed; empty: the caller fills it in (usually with the profile's
                        name) */
    char msg[1024];  /* why */
    char detail[4096]; /* further lines, each ended by LF */
    char hint[768];    /* how to fix it */
};

#define ERR_INIT                                                                                             \
    {                                                                                                        \
        0                                                                                                    \
    }

/* Sets code and message, forgetting what was there. Always returns -1, so that callers can `return
 * err_set(...)`. */
__attribute__((format(printf, 3, 4))) int err_set(struct err *e, enum err_code code, const char *fmt, ...);

/* Gives it MySQL's number, and puts that in front of the message, so that it can be looked up: "1045 access
 * denied". */
void err_number(struct err *e, unsigned number);
/* Takes both away again. */
void err_drop_number(struct err *e);

/* err_set() and err_number(). Returns -1. */
__attribute__((format(printf, 4, 5))) int err_set_numbered(struct err *e, enum err_code code, unsigned number,
                                                           const char *fmt, ...);

/* Puts "PREFIX: " in front of the message. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_prefix(struct err *e, const char *fmt, ...);

/* Sets `what`, unless a function nearer to the cause has set it already. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_what(struct err *e, const char *fmt, ...);

/* Sets the hint, replacing an earlier one. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_hint(struct err *e, const char *fmt, ...);

/*
 * Sets a hint that is or contains a shell command. Each %s is one word of the command (a user's word, a path,
 * a host) and is quoted for sh if needed; a leading ~/ stays. The only other conversions are %u and %ld. A
 * word that cannot be shown, or does not fit, becomes "...".
 */
__attribute__((format(printf, 2, 3))) int err_hint_sh(struct err *e, const char *fmt, ...);

/* Appends one detail line; what does not fit is dropped. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_detail(struct err *e, const char *fmt, ...);

/* Appends each line of a text from outside, which the caller has sanitised. Returns -1. */
int err_detail_lines(struct err *e, const char *text);

/* Copies a whole error, to keep it while another may occur. */
void err_copy(struct err *to, const struct err *from);

/* Forgets an error that was handled. */
void err_clear(struct err *e);

/* Out of memory: one line on stderr and exit 75 by exit(3), so that the terminal is restored. Never returns.
 */
_Noreturn void err_out_of_memory(void);

#endif
