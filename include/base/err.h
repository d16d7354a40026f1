/* SPDX-License-Identifier: MIT */
/* One error value, passed down to the function that may fail and printed once, by command/. It says what
 * happened, with detail lines, and how to fix it. It allocates nothing and never holds a secret. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* The classes of errors. Each value is the exit status of the program. */
enum err_code {
    ERR_NONE = 0,
    ERR_USAGE = 64,       /* wrong command line */
    ERR_DATA = 65,        /* bad input data: URL, protocol input, PEM */
    ERR_UNREACHABLE = 69, /* DNS, TCP, TLS, tunnel, timeout */
    ERR_BUG = 70,         /* a bug in this program */
    ERR_IO = 74,          /* read or write failed */
    ERR_TRY_LATER = 75,   /* the same command may work later */
    ERR_PROTOCOL = 76,    /* the peer broke its protocol */
    ERR_REFUSED = 77,     /* the server or service denied access */
    ERR_CONFIG = 78,      /* bad configuration, unknown profile, or a missing helper */
    ERR_LOGIN = 79,       /* the user must log in */
    ERR_NOT_RUNNABLE = 126,
    ERR_NOT_FOUND = 127,
};

struct err {
    enum err_code code;
    unsigned number; /* MySQL's error number, from a server or client; `msg` begins with it; 0: none */
    char what[512]; /* file:line, or what the user typed; if it is empty, the caller fills it in (usually with
                       the profile's name) */
    char msg[1024]; /* the cause */
    char detail[4096]; /* further lines, each ended by LF */
    char hint[768];    /* how to fix it */
};

#define ERR_INIT                                                                                             \
    {                                                                                                        \
        0                                                                                                    \
    }

/* Sets code and message and clears everything else. Always returns -1, so that callers can `return
 * err_set(...)`. */
__attribute__((format(printf, 3, 4))) int err_set(struct err *e, enum err_code code, const char *fmt, ...);

/* Sets MySQL's error number and puts it in front of the message, so that users can look it up: "1045 access
 * denied". */
void err_number(struct err *e, unsigned number);
/* Removes MySQL's error number, also from the front of the message. */
void err_drop_number(struct err *e);

/* Calls err_set() and then err_number(). Returns -1. */
__attribute__((format(printf, 4, 5))) int err_set_numbered(struct err *e, enum err_code code, unsigned number,
                                                           const char *fmt, ...);

/* Puts "PREFIX: " in front of the message; MySQL's error number stays before it. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_prefix(struct err *e, const char *fmt, ...);

/* Sets `what`, unless a function closer to the cause has already set it. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_what(struct err *e, const char *fmt, ...);

/* Sets the hint, replacing an earlier one. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_hint(struct err *e, const char *fmt, ...);

/*
 * Sets a hint that is or contains a shell command. Each %s is one argument of the command (a name, a path, a
 * host) and is quoted for sh if needed; a leading ~/ is kept. The only other conversions are %u and %ld. An
 * argument that cannot be printed, or does not fit, becomes "...".
 */
__attribute__((format(printf, 2, 3))) int err_hint_sh(struct err *e, const char *fmt, ...);

/* Appends one detail line; text that does not fit is dropped. Returns -1. */
__attribute__((format(printf, 2, 3))) int err_detail(struct err *e, const char *fmt, ...);

/* Appends each line of `text`, which comes from outside and which the caller has sanitised. Returns -1. */
int err_detail_lines(struct err *e, const char *text);

/* Copies a whole error, to keep it if another may occur. */
void err_copy(struct err *to, const struct err *from);

/* Clears an error that has been handled. */
void err_clear(struct err *e);

/* Reports that memory is exhausted: prints one line on stderr and calls exit(75), so that the terminal is
 * restored. Never returns. */
_Noreturn void err_out_of_memory(void);

#endif
