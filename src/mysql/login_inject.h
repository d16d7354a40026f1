/* SPDX-License-Identifier: MIT */
/*
 * The keeper logs in by itself: the client proves to the keeper that it may connect, the keeper proves to the
 * server who the user is. The table is in login_inject.c, its actions in inject_client.c and inject_server.c.
 */
#ifndef MYSQL_LOGIN_INJECT_H
#define MYSQL_LOGIN_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/secret.h>
#include <mysql/login_proxy.h>

#include "auth_method.h"
#include "handshake.h"
#include "login_action.h"
#include "login_filter.h"
#include "login_packet.h"

/* A server asks for its own method, and perhaps for another one of a proxy behind it. */
#define SWITCHES_MOST 2

struct inject {
    struct login_credential *as;
    const struct secret *client_password; /* borrowed; NULL: any answer of the client is accepted */
    /* The client's side. */
    uint8_t scramble[SCRAMBLE_LEN];       /* ours, for the client */
    const struct auth_method *greeted_by; /* the method that the client's greeting named */
    const struct auth_method *asked_for;  /* the method that the client was asked to switch to */
    struct buf kept;                      /* its answer, which `client` points into */
    struct answer client;
    bool proved;
    bool wants_fast; /* caching_sha2_password: it expects FAST_OK before OK */
    /* The server's side. */
    struct greeting server;
    bool unanswered;          /* its greeting is: see inject_farewell() */
    uint32_t flags, extended; /* both sides' */
    uint8_t expects;          /* the server's next sequence number */
    const struct auth_method *method;
    struct auth auth;
    unsigned switches;
    struct buf refusal; /* the server's own error packet, without header */
};

/* Holds a reference to `as`. */
struct inject *inject_new(struct login_credential *as, const struct secret *client_password);
/* NULL is fine. */
void inject_free(struct inject *i);

/* The action for what was said at that stage; NULL: it is a protocol error. */
mysql_act *inject_rule(enum mysql_stage stage, enum mysql_said said);
/* Whether the client is expected to say something. */
bool inject_asks_client(enum mysql_stage stage);
/* SERVER_IMPOSSIBLE if its sequence number is not the next one. */
enum mysql_said inject_said_by_server(const struct mysql *m, enum mysql_said said, const struct packet *p);
enum mysql_said inject_said_by_client(const struct mysql *m, const struct packet *p);

/* Whether TLS is made with a server that offers it, or does not. */
bool inject_wants_tls(const struct mysql *m, bool offered);
/* The client has proved that it may connect: TLS with the server, or our answer at once. */
void inject_go_on(struct mysql *m);
/*
 * Appends what is to be sent to the server before it is left without an answer to its greeting, because the
 * client did not prove that it may connect: an answer without a password, of a user that does not exist.
 * Without it the server blocks this host after some times (max_connect_errors); access denied does not count
 * there.
 */
void inject_farewell(const struct inject *i, struct buf *out);
/* Our answer to the server's greeting. */
void inject_answer(struct mysql *m);
/* Logs in again, over a new stream. */
void inject_again(struct mysql *m, struct login_credential *as);
/* The client gets the server's words. */
void inject_pass_refusal(struct mysql *m);

/* Towards the client. */
mysql_act act_greet_ours;   /* the client gets the greeting without TLS, with our scramble */
mysql_act act_greet_plain;  /* the same of a server without TLS, if the profile allows that */
mysql_act act_check_answer; /* does it prove that it has the password of this run? */
mysql_act act_check_word;   /* and if asked once more? */
mysql_act act_refuse_word;  /* over: it has not */

/* Towards the server. */
mysql_act act_greet_again; /* after a retry: the server must be able to do the same */
mysql_act act_switch;      /* it names another method */
mysql_act act_fast_ok;
mysql_act act_full; /* it wants the password itself */
mysql_act act_key;  /* its RSA key */
mysql_act act_salt;
mysql_act act_admit_ours;    /* from now on everything is copied */
mysql_act act_deny;          /* the credential was refused, or over */
mysql_act act_refuse_factor; /* over: it wants a second factor */
mysql_act act_refuse_method; /* over: it wants a method that cannot be ours */

#endif
