/* The keeper as a whole: what it was asked to open, and what its parts say to broker. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/log.h>
#include <base/secret.h>
#include <base/text.h>
#include <ipc/keeper.h>

#define ENDS_MOST 2

/* The OPEN record, taken apart and checked. Everything lives as long as the process. */
struct options {
    char *label, *name;
    char *host, *socket; /* the endpoint: one of the two */
    unsigned port;
    struct local_end end[ENDS_MOST];
    unsigned ends;
    enum keeper_tls tls;
    bool tls_ca_own; /* its authorities sign for the user alone: the profile names them */
    char *tls_name, *tls_ca, *tls_cert, *tls_key, *tls_ciphers, *tls_version;
    struct words tunnel;                                     /* "KEY=VALUE" */
    int64_t connect_timeout, login_timeout, drain, deadline; /* ms; deadline as a moment of clock_ms() */
    bool first, person;
    char *control, *log;
    char *digest; /* for STATUS, as it came */
    enum log_level verbose;
};
extern struct options opt;

/* ERR_PROTOCOL for a record that is not whole or has what is none. */
int options_parse(const struct record *open, struct options *out, struct err *e);
/* A key of [tunnel]; NULL where unset. */
const char *options_tunnel(const char *key);
/* HOST:PORT or the path of the endpoint, for messages. */
const char *options_endpoint(void);

/*
 * Asks the person behind broker and waits for the answer, for opt.login_timeout at most: only before READY.
 * ERR_LOGIN where nobody can be asked, where too much was asked already, and always after READY. `again`: the
 * answer before was refused. The time that a person takes is added to opt.deadline and to *deadline (may be
 * NULL). What ends the keeper ends it here too: this may not return.
 */
int keeper_ask(enum keeper_question kind, const char *text, bool again, int64_t *deadline,
               struct secret **answer, struct err *e);
bool keeper_is_ready(void);
/* For log_step() and its like, which every part uses: as SAY before READY, into opt.log after. */
log_sink keeper_log;

/* Paths that must not outlive the keeper, even where it is killed: removed by the guard then (event/guard.h).
 */
void keeper_owns_path(const char *path);
void keeper_disowns_path(const char *path);
/* Disowns it, and removes it where it still is what was made: somebody may have put something else there. A
 * socket is to be closed afterwards, as the system may give its number to another file then. */
void keeper_removes_path(const char *path);

#endif
