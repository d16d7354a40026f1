/*
 * A session walks a plan: profile, facts, plan, credential, client (DESIGN section 3). The verbs call these
 * in order; everything that two verbs share is here, so that they cannot differ.
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

/* What the command line asked for. */
struct request {
    const char *name; /* a profile's name or a URL; NULL: $BROKER_PROFILE, [profile default], or flags only */
    const struct override *overrides;
    size_t override_count;
    long timeout_ms;  /* of the whole run; 0: none */
    const char *verb; /* as it is typed, for hints: "connect", "profile show" */
};

struct way;

struct session {
    struct config *config;
    struct profile profile;
    struct facts facts;
    struct plan plan;
    struct credential credential;
    struct way *way;  /* through the keeper; NULL: not open, or direct */
    bool may_log_in;  /* set by verbs that start a browser or device flow where a terminal is there */
    bool wants_login; /* and by the one that is for nothing else */
    char *label;      /* NULL until the profile is known */
    int64_t deadline;
};
void session_release(struct session *s);
#define AUTO_SESSION(name) __attribute__((cleanup(session_release))) struct session name = {0}

/*
 * What follows from the keys of a profile that is just resolved; `url` NULL: it is not of one. ERR_CONFIG:
 * keys that contradict each other; ERR_DATA: a URL that lowers what its server gets otherwise.
 */
int session_derive(const struct config *c, const char *url, const struct override *overrides, size_t count,
                   struct profile *p, struct err *e);
/* Whether an accepted URL lowers something, which it may where its own password is all that it could give
 * away; *e says what. */
bool session_url_lowers(const struct config *c, const char *url, const struct override *overrides,
                        size_t count, const struct profile *p, struct err *e);

/* Config and profile. ERR_USAGE, with the profiles as details, where none is named. */
int session_open(struct session *s, const struct request *r, struct err *e);

/* Facts and plan. With `dry` nothing is dialled (no socket is tried). */
int session_plan(struct session *s, enum purpose purpose, const char *client, bool dry, struct err *e);

/*
 * The provider's login, so that nothing is opened while a person must do something; at most once. 1: done, 0:
 * this provider has none.
 */
int session_sign_in(struct session *s, struct err *e);
/* Forgets what the provider keeps between runs; *forgotten: how many entries. */
int session_sign_out(struct session *s, unsigned *forgotten, struct err *e);
/*
 * Opens the way through the keeper where there is one, at most once; a person may be asked. `first`: the
 * server is dialled now, for the first connection.
 */
int session_open_way(struct session *s, bool first, struct err *e);
/* The way in words, malloced: as the plan has it, or as the keeper found it once it is open. */
char *session_describe_way(const struct session *s);
/* Logs in to the profile's tunnel and out again, for what a person may be asked there. 1: done, 0: it is none
 * that anybody logs in to. */
int session_try_tunnel(struct session *s, struct err *e);
/* The credential; signs in and opens the way first where that was not done. */
int session_login(struct session *s, struct err *e);

/*
 * A password that was typed just now and that its provider can keep: asks whether to. It is kept only once
 * the server has accepted it (`proved`: it has already); a refusal is session_probe()'s error, and nothing is
 * kept.
 */
int session_offer_to_keep(struct session *s, bool proved, struct err *e);

/* Becomes the client, with `args` behind our own. Returns only on failure. */
int session_become_client(struct session *s, char *const *args, struct err *e);

/*
 * Becomes argv, with {placeholders} filled and the formats' variables (NULL-terminated) in its environment.
 * `words` takes argv over. Returns only on failure.
 */
int session_become_command(struct session *s, char *const *argv, const struct format *const *formats,
                           struct err *e);
/* Whether a command wants {defaults-file}; ERR_USAGE for a placeholder that would show a secret. -1, 0, 1. */
int session_command_wants_file(char *const *argv, struct err *e);

/* What the server says about a login with the stock client. */
struct probe {
    char *version, *user, *tls_cipher; /* tls_cipher NULL: no TLS */
    unsigned server_code;              /* of a failure; 0: none, or the client could not even try */
    bool answered;                     /* the endpoint said something, or hung up */
};
void probe_release(struct probe *p);
#define AUTO_PROBE(name) __attribute__((cleanup(probe_release))) struct probe name = {0}

/* Logs in once with the stock client. A failure is in our words, the same for both client families. */
int session_probe(const struct session *s, struct probe *out, struct err *e);

/* The same through a keeper that makes the TLS of a direct plan, for what it says of a TLS that failed. */
int session_probe_by_keeper(const struct session *s, struct probe *out, struct err *e);

/* Whether the endpoint's name resolves (nothing is connected to): the `way` hop of `test`. */
int session_resolve(const struct session *s, struct err *e);

#endif
