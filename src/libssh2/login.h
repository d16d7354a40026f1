/* SPDX-License-Identifier: MIT */
/* One login of the engine libssh2, shared by login.c (which method comes next), publickey.c and prompts.c
 * (the methods). */
#ifndef LIBSSH2_LOGIN_H
#define LIBSSH2_LOGIN_H

#include <base/secret.h>
#include <ipc/keeper.h>
#include <ssh/key.h>

#include "agent.h"
#include "session.h"

/* What has worked for a login, for later sessions; one per engine. */
struct credentials {
    struct ssh_keys keys;
    bool gathered; /* the keys have been collected */
    bool proven;   /* the following has logged in; only that is used from now on */
    struct ssh_key *key;
    struct secret *password;
    bool person; /* a one-time code was needed: no second login */
    bool costly; /* unlocking the key takes long enough to delay other connections */
};

enum login_state {
    LOGIN_BEGIN,
    LOGIN_AGENT, /* waiting for its list of keys */
    LOGIN_CHOOSE,
    LOGIN_NONE, /* only to learn which methods there are */
    LOGIN_KEY,
    LOGIN_PROMPTS,
    LOGIN_PASSWORD,
};

/* A step returns libssh2's result, or this: done with that state, continue at once. */
#define LOGIN_AGAIN 1

struct ssh_login {
    struct ssh_session *session;
    enum login_state state;
    bool informed;  /* the server has named its methods */
    uint64_t heard; /* the session's count of bytes read when this attempt began */

    size_t next; /* key to try */
    bool accepted, agent_failed;
    struct agent_call *agent;
    struct ssh_keys from_agent;
    struct buf signature, line;
    unsigned phrases;   /* asked for this key */
    struct words wrong; /* names of the keys whose passphrase was wrong each time */

    unsigned prompts, passwords, rounds; /* attempts; questions; rounds of prompts in all attempts */
    struct secret *password;
    bool closed;     /* no answer: no more questions about passwords */
    struct err mute; /* why */
    bool person;

    struct ssh_key *good_key; /* what has worked so far */
    struct secret *good_password;
    const char *lacks; /* what the server wants but the engine does not support */
};

/* 1: logged in, 0: wait for the socket (or resume()), -1: *e, or *cannot: what libssh2 lacks. */
int login_step(struct ssh_session *s, const char **cannot, struct err *e);
void login_free(struct ssh_login *l);
/* From now on text from the server for the user is shown, if it takes long. */
void login_trouble(struct ssh_session *s);
/* The login was not finished in time. Returns -1. */
int login_late(struct ssh_session *s, struct err *e);

/* Asks the user. NULL if there is no answer, which is stored as the error of the login. */
struct secret *login_ask(struct ssh_session *s, enum keeper_question kind, const char *text, bool again);

/* publickey.c: the candidates, in the order in which they are offered (candidates.c). */
int candidates_gather(struct ssh_session *s);
bool publickey_left(const struct ssh_login *l);
int publickey_step(struct ssh_session *s);

/* prompts.c */
int prompts_step(struct ssh_session *s);
int password_step(struct ssh_session *s);

#endif
