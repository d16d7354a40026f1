/* One login of the engine libssh2, between its parts: login.c (which way comes next),
 * publickey.c and prompts.c (the ways). */
#ifndef LIBSSH2_LOGIN_H
#define LIBSSH2_LOGIN_H

#include <ipc/keeper.h>

#include "parts.h"
#include "agent.h"

enum login_state {
    LOGIN_BEGIN,
    LOGIN_AGENT, /* its list of keys is awaited */
    LOGIN_CHOOSE,
    LOGIN_NONE, /* only to learn which ways there are */
    LOGIN_KEY,
    LOGIN_PROMPTS,
    LOGIN_PASSWORD,
};

/* A step gives what libssh2 gave, or this: done with that state, go on at once. */
#define LOGIN_AGAIN 1

struct login {
    struct session *session;
    enum login_state state;
    bool informed;  /* the server has said which ways there are */
    uint64_t heard; /* what the session had read when this try began */

    size_t next; /* key to try */
    bool accepted, agent_failed;
    struct agent_call *agent;
    struct ssh_keys from_agent;
    struct buf signature, line;
    unsigned phrases;   /* asked for this key */
    struct words wrong; /* names of the keys whose passphrase was wrong each time */

    unsigned prompts, passwords, rounds; /* tries; questions; rounds of prompts in all tries */
    struct secret *password;
    bool closed;     /* nobody answers: no more questions about passwords */
    struct err mute; /* why */
    bool person;

    struct ssh_key *good_key; /* what has helped so far */
    struct secret *good_password;
    const char *lacks; /* what the engine cannot do and the server wants */
};

/* Asks; what cannot be answered is remembered as the error of the whole. NULL then. */
struct secret *login_ask(struct session *s, enum keeper_question kind, const char *text, bool again);

/* publickey.c: the candidates, in the order in which they are offered (candidates.c). */
int candidates_gather(struct session *s);
bool publickey_left(const struct login *l);
int publickey_step(struct session *s);

/* prompts.c */
int prompts_step(struct session *s);
int password_step(struct session *s);

#endif
