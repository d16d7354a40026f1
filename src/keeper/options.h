/* SPDX-License-Identifier: MIT */
/* The options from broker's OPEN record. */
#ifndef KEEPER_OPTIONS_H
#define KEEPER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/log.h>
#include <base/secret.h>
#include <ipc/keeper.h>
#include <mysql/login_proxy.h>
#include <tunnel/target.h>

#define LISTENERS_MOST 2

/* The parsed and checked OPEN record. Its values live as long as the process. */
struct options {
    char *label, *name;
    char *endpoint; /* HOST:PORT or the path, for messages */
    struct target target;
    struct tls_options tls;
    struct login_options login;
    struct local_address listener[LISTENERS_MOST];
    unsigned listeners;
    int64_t drain, deadline; /* ms; deadline as a clock_ms() time */
    bool first;
    char *control, *log;
    /* Used if the keeper logs in: how it requests credentials. */
    char *broker, *user;     /* user: the user name for clients */
    struct secret *password; /* the password that a client at a TCP port must have */
    struct words keys;       /* each "KEY=VALUE" */
    bool logs_in, stock_client, revokes;
    char *digest; /* reported in STATUS unchanged */
    enum log_level verbose;
};
extern struct options opt;

/* Parses an OPEN record. Returns 0, or -1 with ERR_PROTOCOL if it is incomplete or has an invalid value. */
int options_parse(const struct record *open, struct options *out, struct err *e);

#endif
