/* SPDX-License-Identifier: MIT */
/*
 * A plan is a value: what a run will do, computed by a pure function from a profile and from facts gathered
 * before. connect, exec, test, --dry-run and `profile show` only carry it out or print it, so that they
 * always agree.
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

/* Facts that are looked up on this machine; any may be absent. */
struct facts {
    struct client client;  /* path NULL: not needed */
    char *ca_file;         /* the system's CA certificates */
    char *socket;          /* the local server's socket that answered */
    struct words includes; /* the user's own option files */
    bool expires;          /* the credential does, which of some providers is only known once it is there */
};
void facts_release(struct facts *f);

/* Who will use the plan, which decides what it must contain. */
enum purpose {
    FOR_CLIENT,  /* a stock client connects: its family decides the TLS options */
    FOR_TOOL,    /* the same, run by `exec` with our option file as an argument */
    FOR_OTHER,   /* any other program, whose TLS options are unknown */
    FOR_SECRET,  /* only the credential is needed */
    FOR_PARAMS,  /* any program that the user starts with our parameters: no keeper of ours */
    FOR_FORWARD, /* a listener alone: no client, no credential, always a keeper */
    FOR_INJECT,  /* the same, but the keeper logs in, whatever `login` says */
};

struct plan {
    const struct profile *profile;
    char *label;                     /* its name in messages */
    char *endpoint;                  /* HOST:PORT or the socket's path */
    const struct provider *provider; /* NULL: the password is in the URL */
    struct connection conn; /* of the endpoint; password, plugin_dir and what the keeper changes are filled in
                               when the plan is carried out */
    const struct client *client;
    enum purpose purpose;
    char *route;                       /* "direct", "ssh ec2-user@bastion.example.com:22" */
    bool keeper;                       /* a keeper is in the path */
    bool unix_listener;                /* the client dials its unix socket instead of 127.0.0.1 */
    bool path_listener, port_listener; /* the listeners that it has, where it is no forward's */
    bool tls_by_keeper;   /* on all its listeners; elsewhere TLS is the client's, as conn.tls says */
    bool login_by_keeper; /* afresh for each connection, on all its listeners; the client has no secret. It
                             then makes the TLS, too */
    const char *tls_name; /* the name that the keeper verifies in the certificate; NULL: none */
    /* A MariaDB client without verified TLS must not load plug-ins that reveal the password. */
    bool restrict_plugins;
};
void plan_release(struct plan *plan);

/*
 * Derives keys from other keys: tls, socket = auto. Pure; `profile show` prints them with their origin.
 * ERR_CONFIG if keys contradict each other.
 */
int plan_derive(struct profile *p, struct err *e);

/* ERR_DATA if a URL would send a credential of this machine to a server that it does not belong to. Pure;
 * only needed if a credential is fetched. */
int plan_check_url(const struct profile *p, struct err *e);

/* Checks that the user is known. `got`: what the provider returned; NULL: it has not been asked yet, and may
 * name the user. ERR_CONFIG. */
int plan_check_user(const struct plan *plan, const struct credential *got, struct err *e);

/*
 * Pure. The profile is derived; both it and the facts must outlive the plan. ERR_CONFIG for what this build
 * or the client cannot do, with the alternatives as the hint.
 */
int plan_make(const struct profile *p, const struct facts *f, enum purpose purpose, struct plan *out,
              struct err *e);

/* Changes a client's direct plan so that the keeper makes the TLS. */
void plan_by_keeper(struct plan *plan);

/* Whether the server gets the password in cleartext. */
bool plan_cleartext(const struct profile *p);

/* Whether the socket is the server's own, on this machine or at the far side of SSH, so that no one can be in
 * between. */
bool plan_own_socket(const struct profile *p);

/* What the row `keeper` says, there and with --verbose. */
#define PLAN_LOGS_IN "logs in for each connection"
/*
 * The lines of --dry-run: label, spaces, text. `args` are the client's arguments or, in a plan without a
 * client, the command; may be NULL.
 */
void plan_print(const struct plan *plan, char *const *args, struct buf *out);

#endif
