/* SPDX-License-Identifier: MIT */
/* One login of the libssh2 engine, shared by login.c (chooses the method), publickey.c and prompts.c (the
 * methods). */
#ifndef LIBSSH2_LOGIN_H
#define LIBSSH2_LOGIN_H

#include <base/secret.h>
#include <ipc/keeper.h>
#include <ssh/key.h>

#include "agent.h"
#include "session.h"

/* What has worked for a login, to be used again by later sessions; one per engine. */
struct credentials {
    struct ssh_keys keys;
    bool gathered; /* the keys have been collected */
    bool proven;   /* the fields below have logged in; only they are used from now on */
    struct ssh_key *key;
    struct secret *password;
    bool person; /* the user had to enter a one-time code, so no second login is possible */
    bool costly; /* unlocking the key is so slow that it would delay other connections */
};

enum login_state {
    LOGIN_BEGIN,
    LOGIN_AGENT, /* waiting for the agent's list of keys */
    LOGIN_CHOOSE,
    LOGIN_NONE, /* asking the server which methods it supports */
    LOGIN_KEY,
    LOGIN_PROMPTS,
    LOGIN_PASSWORD,
};

/* Returned by a step, in addition to libssh2's results: the state is done, continue at once. */
#define LOGIN_AGAIN 1

struct ssh_login {
    struct ssh_session *session;
    enum login_state state;
    bool informed;  /* the server has named its methods */
    uint64_t heard; /* the session's count of bytes read at the start of this attempt */

    size_t next; /* index of the key to try */
    bool accepted, agent_failed;
    struct agent_call *agent;
    struct ssh_keys from_agent;
    struct buf signature, line;
    unsigned phrases;   /* how often a passphrase was asked for this key */
    struct words wrong; /* names of the keys whose passphrase was wrong each time */

    unsigned prompts, passwords, rounds; /* attempts; questions; rounds of prompts in all attempts */
    struct secret *password;
    bool closed;     /* a question got no answer, so no more passwords are asked for */
    struct err mute; /* why there was no answer */
    bool person;

    struct ssh_key *good_key; /* the key that has worked */
    struct secret *good_password;
    const char *lacks; /* what the server requires but the engine does not support */
};

/* Continues the login. Returns 1: logged in; 0: waiting for the socket or for resume(); -1: failed, with *e
 * set, or with *cannot set to what libssh2 does not support. */
int login_step(struct ssh_session *s, const char **cannot, struct err *e);
void login_free(struct ssh_login *l);
/* From now on text from the server is shown to the user, if the login takes long. */
void login_trouble(struct ssh_session *s);
/* Sets the error of a login that did not finish in time. Returns -1. */
int login_late(struct ssh_session *s, struct err *e);

/* Asks the user. Returns NULL if there is no answer; the reason is then stored as the error of the login. */
struct secret *login_ask(struct ssh_session *s, enum keeper_question kind, const char *text, bool again);

/* publickey.c: the keys to offer, in this order (candidates.c). */
int candidates_gather(struct ssh_session *s);
bool publickey_left(const struct ssh_login *l);
int publickey_step(struct ssh_session *s);

/* The methods keyboard-interactive and password (prompts.c). */
int prompts_step(struct ssh_session *s);
int password_step(struct ssh_session *s);

#endif
