/* SPDX-License-Identifier: MIT */
/* Answers the questions that a keeper asks before it is ready. */
#ifndef SESSION_ROUTE_ANSWER_H
#define SESSION_ROUTE_ANSWER_H

#include <base/err.h>
#include <ipc/record.h>
#include <model/profile.h>

/* What was already answered in this conversation. */
struct route_answers {
    const struct profile *profile;
    bool gave_url, gave_stored, gave_typed; /* the tunnel's password */
    bool by_person;                         /* the last answer */
};

/*
 * Answers one question (KEEPER_ASK) on the channel: the tunnel's password from the URL, then from the
 * keychain, each once, then by a person, once; all else by a person. Where nobody can be asked the keeper
 * gets an error record, ERR_LOGIN. A person's answer is waited for no longer than login_timeout, and no
 * longer than the keeper does. Whether the answer could be sent shows on the channel, which is read next.
 */
void route_answer(int channel, const struct record *question, struct route_answers *given);

#endif
