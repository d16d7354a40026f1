/* SPDX-License-Identifier: MIT */
/*
 * A plan is a value: what a run will do, computed by a pure function from a profile and from facts gathered
 * before. connect, exec, test, --dry-run and `profile show` only carry it out or print it, so they always
 * agree.
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

/* Facts that are looked up on this machine; each may be missing. */
struct facts {
    struct client client;  /* path NULL: no client is needed */
    char *ca_file;         /* the file with the system's CA certificates */
    char *socket;          /* the local server's socket that accepts connections */
    struct words includes; /* the user's own option files */
    bool expires; /* the credential expires; for some providers this is known only after they were called */
};
void facts_release(struct facts *f);

/* Which program will use the plan; this decides what the plan must contain. */
enum purpose {
    FOR_CLIENT,  /* a MySQL client; its family decides the TLS options */
    FOR_TOOL,    /* a MySQL client that `exec` runs with our option file as an argument */
    FOR_OTHER,   /* another program, whose TLS options are unknown */
    FOR_SECRET,  /* none: only the credential is needed */
    FOR_PARAMS,  /* a program that the user starts with our parameters, without a keeper */
    FOR_FORWARD, /* a forward: no client and no credential, but always a keeper */
    FOR_INJECT,  /* a forward whose keeper logs in, whatever the key `login` says */
};

struct plan {
    const struct profile *profile;
    char *label;                     /* the profile's name for messages */
    char *endpoint;                  /* the server: HOST:PORT or the socket's path */
    const struct provider *provider; /* NULL: the password is in the URL */
    struct connection conn; /* to the endpoint; password, plugin_dir and changes by the keeper are added when
                               the plan is carried out */
    const struct client *client;
    enum purpose purpose;
    char *route;                       /* such as "direct" or "ssh ec2-user@bastion.example.com:22" */
    bool keeper;                       /* connections go through a keeper */
    bool unix_listener;                /* the client connects to the keeper's unix socket, not to 127.0.0.1 */
    bool path_listener, port_listener; /* which listeners the keeper opens, unless it is a forward */
    bool tls_by_keeper; /* the keeper uses TLS to the server; otherwise the client does, at the level conn.tls
                         */
    bool login_by_keeper; /* the keeper logs in again for each connection and uses TLS; the client has no
                             secret */
    const char *tls_name; /* the name that the keeper verifies in the certificate; NULL: none */
    /* Set if a MariaDB client runs without verified TLS: it must not load plug-ins that reveal the password.
     */
    bool restrict_plugins;
};
void plan_release(struct plan *plan);

/* Derives keys from other keys: tls, and socket = auto. Pure; `profile show` prints them with their origin.
 * ERR_CONFIG if keys contradict each other. */
int plan_derive(struct profile *p, struct err *e);

/* ERR_DATA if a URL would send a credential of this machine to a server to which it does not belong. Pure;
 * needed only if a credential is fetched. */
int plan_check_url(const struct profile *p, struct err *e);

/* Checks that the user is known. `got` is the provider's answer; NULL: the provider has not been called yet
 * and may return a user. ERR_CONFIG. */
int plan_check_user(const struct plan *plan, const struct credential *got, struct err *e);

/* Makes the plan. Pure. The profile must be derived; profile and facts must outlive the plan. ERR_CONFIG if
 * this build or the client cannot do it; the hint names the alternatives. */
int plan_make(const struct profile *p, const struct facts *f, enum purpose purpose, struct plan *out,
              struct err *e);

/* Changes a client's direct plan so that a keeper is used and does TLS. */
void plan_by_keeper(struct plan *plan);

/* Returns true if the server gets the password in cleartext. */
bool plan_cleartext(const struct profile *p);

/* Returns true if we connect to the server's own socket, on this machine or on the SSH server, so that an
 * attacker cannot be in between. */
bool plan_own_socket(const struct profile *p);

/* The text of the row `keeper` in --dry-run and --verbose. */
#define PLAN_LOGS_IN "logs in for each connection"
/* Prints the plan for --dry-run, as lines with a label, spaces and text. `args` are the client's arguments
 * or, in a plan without a client, the command; may be NULL. */
void plan_print(const struct plan *plan, char *const *args, struct buf *out);

#endif
