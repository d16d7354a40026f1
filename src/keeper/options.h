/* SPDX-License-Identifier: MIT */
/* What the keeper was asked to open. */
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

/* The OPEN record, taken apart and checked. Everything lives lives as long as the process. */
struct options {
    char *label, *name;
    char *endpoint; /* HOST:PORT or the path, for messages */
    struct target target;
    struct tls_options tls;
    struct login_options login;
    struct local_address listener[LISTENERS_MOST];
    unsigned listeners;
    int64_t drain, deadline; /* ms; deadline as a moment of clock_ms() */
    bool first;
    char *control, *log;
    /* Of a keeper that logs in: whom it asks for credentials, and how. */
    char *broker, *user;     /* user: of clients */
    struct secret *password; /* that a client at a port must have */
    struct words keys;       /* "KEY=VALUE" */
    bool logs_in, stock_client, revokes;
    char *digest; /* for STATUS, as it came */
    enum log_level verbose;
};
extern struct options opt;

/* ERR_PROTOCOL for a record that is not whole or has what is none. */
int options_parse(const struct record *open, struct options *out, struct err *e);

#endif
