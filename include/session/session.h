/* SPDX-License-Identifier: MIT */
/*
 * A session carries out a plan: profile, facts, plan, credential, client. The verbs call these functions in
 * order; everything that two verbs share is here, so that they cannot differ.
 */
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

/* The request of the command line. */
struct request {
    const char *name; /* a profile's name or a URL; NULL: $BROKER_PROFILE, [profile default], or flags only */
    const struct override *overrides;
    size_t override_count;
    long timeout_ms;  /* of the whole run; 0: none */
    const char *verb; /* as typed, for hints: "connect", "profile show" */
};

struct route;

struct session {
    struct config *config;
    struct profile profile;
    struct facts facts;
    struct plan plan;
    struct credential credential;
    struct route *route; /* through the keeper; NULL: not open, or direct */
    bool may_log_in;     /* set by verbs that may start a browser or device flow if there is a terminal */
    bool wants_login;    /* set by `login` only */
    char *label;         /* NULL until the profile is known */
    const char *log;     /* the keeper's log file, absolute; NULL: none. Borrowed */
    int64_t deadline;
};
void session_release(struct session *s);
#define AUTO_SESSION(name) __attribute__((cleanup(session_release))) struct session name = {0}

/*
 * Derives the remaining keys of a profile that was just resolved; `url` NULL: it is not from a URL.
 * ERR_CONFIG: keys contradict each other; ERR_DATA: the URL lowers what its server would get otherwise.
 */
int session_derive(const struct config *c, const char *url, const struct override *overrides, size_t count,
                   struct profile *p, struct err *e);
/* Whether an accepted URL lowers something, which is allowed if its own password is all that can leak; *e
 * says what. */
bool session_url_lowers(const struct config *c, const char *url, const struct override *overrides,
                        size_t count, const struct profile *p, struct err *e);

/* Reads the config and resolves the profile. ERR_USAGE, with the profiles as details, if none is named. */
int session_open(struct session *s, const struct request *r, struct err *e);

/* Gathers the facts and makes the plan. With `dry` nothing is dialled, not even a socket. */
int session_plan(struct session *s, enum purpose purpose, const char *client, bool dry, struct err *e);

/*
 * Calls the provider's login, at most once, so that nothing is open while the user must do something. 1:
 * done, 0: this provider has no login.
 */
int session_sign_in(struct session *s, struct err *e);
/* Whether a descriptor is a socket whose other end was made by a keeper of ours: the broker-keeper that is
 * installed beside this program, of the same user. */
bool session_is_of_keeper(int fd);

/*
 * Gets the provider's own keys, for another program; they live `least_life` seconds if that is possible.
 * ERR_CONFIG: this provider has none.
 */
int session_keys(const struct session *s, time_t least_life, struct access_keys *out, struct err *e);
/* Writes the audit line of a credential that this session hands out or uses: its user and its end. */
int session_audit(const struct session *s, const struct credential *got, struct err *e);
/* Removes what the provider keeps between runs; *forgotten: how many entries. */
int session_sign_out(struct session *s, unsigned *forgotten, struct err *e);
/*
 * Opens the route through the keeper where there is one, at most once; a person may be asked. `first`: the
 * server is dialled now, for the first connection.
 */
int session_open_route(struct session *s, bool first, struct err *e);
/* After session_open_route(): where a forward would take the system's ssh, and this route does not, tries
 * that as well. *detail, malloced: how it was reached; NULL: there is nothing to try, or a person would be
 * asked twice. -1: it does not work. */
int session_try_forward(struct session *s, char **detail, struct err *e);
/* The route in words, malloced: as the plan has it, or as the keeper found it once it is open. */
char *session_describe_route(const struct session *s);
/* Logs in to the profile's tunnel and out again, so that its questions are asked now. 1: done, 0: this tunnel
 * has no login. */
int session_try_tunnel(struct session *s, struct err *e);
/* The credential; signs in and opens the route first where that was not done. */
int session_login(struct session *s, struct err *e);
/* Only its last part: gets the credential and gives it to the keeper of `route` (NULL: a direct route). A
 * keeper that does not log in learns when it expires. */
int session_get_credential(struct session *s, struct route *route, struct err *e);

/*
 * Offers to store a password that was typed just now, if its provider can. It is stored only once the server
 * has accepted it (`proved`: it has already); if the server refuses it, that is session_probe()'s error, and
 * nothing is stored.
 */
int session_offer_to_keep(struct session *s, bool proved, struct err *e);

/* Execs the client, with `args` after our own. Returns only on failure. */
int session_become_client(struct session *s, char *const *args, struct err *e);

/*
 * Execs argv with {placeholders} filled, and in its environment the formats' variables and those of
 * "NAME=TEMPLATE" (each NULL-terminated; templates may be NULL). Returns only on failure.
 */
int session_become_command(struct session *s, char *const *argv, const struct format *const *formats,
                           char *const *templates, struct err *e);
/* ERR_USAGE for what is not NAME=TEMPLATE, or would put a password into a URL without encoding it. */
int template_check(const char *text, struct err *e);
/* 1 if a command uses {defaults-file}, else 0; -1, ERR_USAGE, for a placeholder that would show a secret. */
int session_command_wants_file(char *const *argv, struct err *e);

/* The result of a login with the stock client. */
struct probe {
    char *version, *user, *tls_cipher; /* tls_cipher NULL: no TLS */
    unsigned server_code; /* the server's error number; 0: none, or the client could not even try */
    bool answered;        /* the endpoint answered or hung up */
};
void probe_release(struct probe *p);
#define AUTO_PROBE(name) __attribute__((cleanup(probe_release))) struct probe name = {0}

/* Logs in once with the stock client. Errors have our text, the same for both client families. */
int session_probe(const struct session *s, struct probe *out, struct err *e);

/* The same; a user that the provider made is tried again while it is new, and read anew if it was kept. */
int session_probe_patiently(struct session *s, struct probe *out, struct err *e);

/* Whether the endpoint's name resolves (nothing is connected to): the `route` hop of `test`. */
int session_resolve(const struct session *s, struct err *e);

#endif
