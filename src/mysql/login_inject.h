/* SPDX-License-Identifier: MIT */
/*
 * The keeper logs in itself: the client proves to the keeper that it may connect, and the keeper logs in to
 * the server with the credential. The table is in login_inject.c, its actions are in inject_client.c and
 * inject_server.c.
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

/* A server may ask for another method once, and once more if it is a proxy in front of another server. */
#define SWITCHES_MOST 2

struct inject {
    struct login_credential *as;
    const struct secret *client_password; /* borrowed; NULL: any answer of the client is accepted */
    /* State of the client's side. */
    uint8_t scramble[SCRAMBLE_LEN];       /* the keeper's scramble for the client */
    const struct auth_method *greeted_by; /* the method named in the greeting that the client got */
    const struct auth_method *asked_for;  /* the method to which the client was asked to switch */
    struct buf kept;                      /* the client's answer; `client` points into it */
    struct answer client;
    bool proved;
    bool wants_fast; /* caching_sha2_password: the client expects FAST_OK before OK */
    /* State of the server's side. */
    struct greeting server;
    bool unanswered;          /* the greeting was not answered yet: see inject_empty_login() */
    uint32_t flags, extended; /* capabilities that both sides have */
    uint8_t expects;          /* the sequence number of the server's next packet */
    const struct auth_method *method;
    struct auth auth;
    unsigned switches;
    struct buf refusal; /* the server's own error packet, without header */
};

/* Returns a new state. It holds a reference to `as`. */
struct inject *inject_new(struct login_credential *as, const struct secret *client_password);
/* `i` may be NULL. */
void inject_free(struct inject *i);

/* Returns the action for a packet at this stage, or NULL if the packet is a protocol error. */
mysql_act *inject_rule(enum mysql_stage stage, enum mysql_said said);
/* Returns whether the client must send the next packet at this stage. */
bool inject_asks_client(enum mysql_stage stage);
/* Classify a packet like login_packet.h, but in the context of this login. The packet is SERVER_IMPOSSIBLE if
 * its sequence number is not the next one. */
enum mysql_said inject_said_by_server(const struct mysql *m, enum mysql_said said, const struct packet *p);
enum mysql_said inject_said_by_client(const struct mysql *m, const struct packet *p);

/* Returns whether TLS must be used with a server that offers it, or does not offer it. */
bool inject_wants_tls(const struct mysql *m, bool offered);
/* Continues after the client has proved that it may connect: starts TLS with the server, or sends our
 * answer. */
void inject_go_on(struct mysql *m);
/*
 * Appends what is sent to the server before it is closed without an answer to its greeting, because the
 * client did not prove that it may connect: an answer without a password, of a user that does not exist.
 * Without this the server would block this host after a number of such connections (max_connect_errors);
 * "access denied" does not count for that limit.
 */
void inject_empty_login(const struct inject *i, struct buf *out);
/* Sends our answer to the server's greeting. */
void inject_answer(struct mysql *m);
/* Logs in again, over a new stream. */
void inject_again(struct mysql *m, struct login_credential *as);
/* Sends the server's own error to the client. */
void inject_pass_refusal(struct mysql *m);

/* Actions for packets that concern the client. */
mysql_act act_greet_ours;   /* sends the greeting without TLS and with our scramble to the client */
mysql_act act_greet_plain;  /* like act_greet_ours, for a server without TLS, if allowed */
mysql_act act_check_answer; /* checks whether the client has the password of this run */
mysql_act act_check_word;   /* like act_check_answer, for the answer of another plug-in */
mysql_act act_refuse_word;  /* fails: the client does not have the password */

/* Actions for packets of the server. */
mysql_act act_greet_again; /* after a retry: the server must have the same capabilities */
mysql_act act_switch;      /* the server names another method */
mysql_act act_fast_ok;
mysql_act act_full; /* the server wants the password itself */
mysql_act act_key;  /* the server sends its RSA key */
mysql_act act_salt;
mysql_act act_admit_ours;    /* the server has accepted: from now on everything is copied */
mysql_act act_deny;          /* the server has refused the credential, or fails */
mysql_act act_refuse_factor; /* fails: the server wants a second factor */
mysql_act act_refuse_method; /* fails: the server wants a method that is not supported */

#endif
