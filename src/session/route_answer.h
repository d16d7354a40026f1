/* SPDX-License-Identifier: MIT */
/* Answers the questions that a keeper asks before it is ready. */
#ifndef SESSION_ROUTE_ANSWER_H
#define SESSION_ROUTE_ANSWER_H

#include <base/err.h>
#include <ipc/record.h>
#include <model/profile.h>

/* Which answers have already been given to this keeper. */
struct route_answers {
    const struct profile *profile;
    bool gave_url, gave_stored, gave_typed; /* the tunnel's password was taken from there */
    bool by_user;                           /* the user gave the last answer */
};

/*
 * Answers one question (KEEPER_ASK) on the channel. The tunnel's password is taken from the URL, then from
 * the keychain, then from the user, each once; everything else is asked of the user. If the user cannot be
 * asked, the keeper gets an error record with ERR_LOGIN. The user has until login_timeout or until the keeper
 * gives up. A failed send is not reported here: the next read from the channel shows it.
 */
void route_answer(int channel, const struct record *question, struct route_answers *given);

#endif
