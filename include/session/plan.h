/*
 * The plan is a value: what a run is going to do, computed from a profile and from facts looked up before, by
 * a pure function. connect, exec, test, --dry-run and `profile show` only walk or print it, so that they
 * cannot drift apart.
 */
#ifndef SESSION_PLAN_H
#define SESSION_PLAN_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/text.h>
#include <model/profile.h>
#include <output/client.h>
#include <output/connection.h>
#include <provider/provider.h>

/* What must be looked up on this machine; everything may be absent. */
struct facts {
    struct client client;  /* path NULL: not needed */
    char *ca_file;         /* the system's authorities */
    char *socket;          /* the local server's socket that answered */
    struct words includes; /* the user's own option files that exist */
};
void facts_release(struct facts *f);

/* Who dials and what must be known for it. */
enum purpose {
    FOR_CLIENT,  /* a stock client will connect: its family decides how TLS is said */
    FOR_TOOL,    /* the same for one that `exec` runs, with our option file as an argument */
    FOR_OTHER,   /* any other program, of which nobody knows how it is told about TLS */
    FOR_SECRET,  /* only the credential is wanted */
    FOR_FORWARD, /* a local end alone: no client, no credential, always a keeper */
};

struct plan {
    const struct profile *profile;
    char *label;                     /* what messages call it */
    char *endpoint;                  /* HOST:PORT or the socket's path */
    const struct provider *provider; /* NULL: the password came with the URL */
    struct connection conn; /* of the endpoint; password, plugin_dir and what the keeper changes are filled in
                               when the plan is walked */
    const struct client *client;
    enum purpose purpose;
    char *way;               /* "direct", "ssh ec2-user@bastion.example.com:22" */
    bool keeper;             /* one is in the path */
    bool unix_end;           /* the client dials its unix socket instead of 127.0.0.1 */
    bool path_end, port_end; /* the ends that it has, where it is no forward's */
    bool tls_by_keeper;      /* on all its ends; elsewhere TLS is the client's, as conn.tls says */
    const char *tls_name; /* what the certificate is verified against, where the keeper does; NULL: no name */
    /* A MariaDB client without verified TLS: no plug-in that gives the password away. */
    bool restrict_plugins;
};
void plan_release(struct plan *plan);

/*
 * Fills in what follows from other keys: tls, socket = auto. Pure; `profile show` prints it with its
 * origin. ERR_CONFIG where keys contradict each other.
 */
int plan_derive(struct profile *p, struct err *e);

/* ERR_DATA where a URL would have a credential of this machine sent to a server that it does not belong to.
 * Pure; of no interest to who fetches no credential. */
int plan_check_url(const struct profile *p, struct err *e);

/* Whether somebody says who logs in. `got`: what the provider gave; NULL: it has not been asked yet, and may.
 * ERR_CONFIG. */
int plan_check_user(const struct plan *plan, const struct credential *got, struct err *e);

/*
 * Pure. The profile is derived; both it and the facts must outlive the plan. ERR_CONFIG for what this build
 * or the client at hand cannot do, with the ways out as the hint.
 */
int plan_make(const struct profile *p, const struct facts *f, enum purpose purpose, struct plan *out,
              struct err *e);

/* Makes a client's direct plan one whose TLS the keeper makes. */
void plan_by_keeper(struct plan *plan);

/* Whether the socket is the server's own: of this machine, or behind SSH, so that nobody is between. */
bool plan_own_socket(const struct profile *p);

/*
 * The lines of --dry-run: label, blanks, text. `args` are the client's own or, in a plan without a client,
 * the command; may be NULL.
 */
void plan_print(const struct plan *plan, char *const *args, struct buf *out);

#endif
