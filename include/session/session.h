/* SPDX-License-Identifier: MIT */
/* A session carries out a plan: profile, facts, plan, credential, client. The verbs call these functions in
 * order; everything that two verbs share is here, so that they cannot differ. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/proc.h>
#include <model/config.h>
#include <model/credential.h>
#include <output/format.h>
#include <session/plan.h>

/* What the command line asks for. */
struct request {
    const char *name; /* a profile or URL; NULL: $BROKER_PROFILE, [profile default], or options only */
    const struct override *overrides;
    size_t override_count;
    long timeout_ms;  /* the time limit of the whole run; 0: none */
    const char *verb; /* as the user typed it, for hints: "connect", "profile show" */
};

struct route;

struct session {
    struct config *config;
    struct profile profile;
    struct facts facts;
    struct plan plan;
    struct credential credential;
    struct route *route; /* the connection through a keeper; NULL: not open, or direct */
    bool may_log_in;     /* a browser or device flow may be started if there is a terminal */
    bool wants_login;    /* set only by the verb `login` */
    bool login_connects; /* a direct route connects only for the login, so that a failure is the login's */
    char *label;         /* the session's name for messages; NULL until the profile is known */
    const char *log;     /* the keeper's log file, absolute path, borrowed; NULL: none */
    int64_t deadline;
};
void session_release(struct session *s);
#define AUTO_SESSION(name) __attribute__((cleanup(session_release))) struct session name = {0}

/* Derives the remaining keys of a profile that was just resolved; `url` is NULL if it is not from a URL.
 * ERR_CONFIG: keys contradict each other; ERR_DATA: the URL lowers the security of the connection. */
int session_derive(const struct config *c, const char *url, const struct override *overrides, size_t count,
                   struct profile *p, struct err *e);
/* Returns true if an accepted URL lowers security, which is allowed if only its own password is at risk; *e
 * says what it lowers. */
bool session_url_lowers(const struct config *c, const char *url, const struct override *overrides,
                        size_t count, const struct profile *p, struct err *e);

/* Reads the config and resolves the profile. ERR_USAGE, with the profiles as details, if none is named. */
int session_open(struct session *s, const struct request *r, struct err *e);

/* Gathers the facts and makes the plan. With `dry` nothing is connected to, not even a socket. */
int session_plan(struct session *s, enum purpose purpose, const char *client, bool dry, struct err *e);

/* Calls the provider's login, at most once, so that nothing is open while the user is busy. Returns 1 if
 * done, 0 if this provider has no login. */
int session_sign_in(struct session *s, struct err *e);
/* Returns true if `fd` is a socket whose other end was made by our keeper: the broker-keeper that is
 * installed with this program, run by the same user. */
bool session_is_of_keeper(int fd);

/* Gets the provider's keys for another program, valid for at least `least_life` seconds if possible.
 * ERR_CONFIG: this provider has none. */
int session_keys(const struct session *s, time_t least_life, struct access_keys *out, struct err *e);
/* Writes the audit line of a credential that this session hands out or uses, with its user and expiry. */
int session_audit(const struct session *s, const struct credential *got, struct err *e);
/* Removes what the provider caches between runs; *forgotten is the number of entries removed. */
int session_sign_out(struct session *s, unsigned *forgotten, struct err *e);
/* Opens the route through the keeper if the plan has one, at most once; may ask the user. `first`: connect to
 * the server now, for the first connection. */
int session_open_route(struct session *s, bool first, struct err *e);
/*
 * Called after session_open_route(). If a forward would use the system's ssh and this route does not, tries
 * that too. *detail, malloced, says how the server was reached; it is NULL if there is nothing to try, or if
 * the user would be asked again. Returns -1 if it fails.
 */
int session_try_forward(struct session *s, char **detail, struct err *e);
/* Returns a description of the route, malloced: from the plan or, once it is open, from the keeper. */
char *session_describe_route(const struct session *s);
/* Logs in to the profile's tunnel and out again, so that its questions are asked now. Returns 1 if done, 0 if
 * this tunnel has no login. */
int session_try_tunnel(struct session *s, struct err *e);
/* Gets the credential; first signs in and opens the route if that has not been done. */
int session_login(struct session *s, struct err *e);
/* Does only the last part: gets the credential and gives it to the keeper of `route` (NULL: a direct route).
 * A keeper that does not log in is only told when it expires. */
int session_get_credential(struct session *s, struct route *route, struct err *e);

/*
 * Offers to store a password that the user has just typed, if its provider can. It is stored only after the
 * server has accepted it (`proved`: it already has). If the server refuses it, the error is session_probe()'s
 * and nothing is stored.
 */
int session_offer_to_keep(struct session *s, bool proved, struct err *e);

/* Execs the client, with `args` after our own. Returns only on failure. */
int session_become_client(struct session *s, char *const *args, struct err *e);

/* Execs argv with its {placeholders} filled in. Its environment gets the formats' variables and those of
 * "NAME=TEMPLATE" (each list NULL-terminated; templates may be NULL). Returns only on failure. */
int session_become_command(struct session *s, char *const *argv, const struct format *const *formats,
                           char *const *templates, struct err *e);
/* ERR_USAGE if `text` is not NAME=TEMPLATE, or would put an unencoded password into a URL. */
int template_check(const char *text, struct err *e);
/* Returns 1 if a command uses {defaults-file}, else 0. Returns -1 with ERR_USAGE if a placeholder would
 * reveal a secret. */
int session_command_wants_file(char *const *argv, struct err *e);

/* The result of a login with the MySQL client. */
struct probe {
    char *version, *user, *tls_cipher; /* tls_cipher NULL: the connection has no TLS */
    unsigned server_code; /* the server's error number; 0: none, or the client could not connect */
    bool answered;        /* the server answered, or closed the connection */
};
void probe_release(struct probe *p);
#define AUTO_PROBE(name) __attribute__((cleanup(probe_release))) struct probe name = {0}

/* Logs in once with the MySQL client. Errors have our own text, the same for both client families. */
int session_probe(const struct session *s, struct probe *out, struct err *e);

/* Like session_probe(), but a user that was created just now is tried again, and a cached credential that is
 * refused is replaced once. */
int session_probe_patiently(struct session *s, struct probe *out, struct err *e);

/* Checks that the server's name can be resolved, without connecting: the `route` hop of `test`. */
int session_resolve(const struct session *s, struct err *e);

#endif
