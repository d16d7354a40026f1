/* SPDX-License-Identifier: MIT */
/* AWS access keys: the result of each step of a chain. They sign requests and RDS tokens. */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include <time.h>

#include <base/err.h>
#include <base/secret.h>

struct aws_keys {
    char *id;
    struct secret *secret;
    struct secret *token; /* the session token; NULL: the keys are long-lived */
    char *account;        /* the AWS account; NULL: not known */
    time_t expires_at;    /* 0: not known, or the keys do not expire */
};

void aws_keys_release(struct aws_keys *k);
/* Returns the kind of the first character that a key ID, secret, token, ARN or region must not contain: "a
 * space", "a control character" or "a character that is not ASCII"; NULL if there is none. The server refuses
 * a token signed with such a text without giving a reason. */
const char *aws_word_fault(const char *s);

/* Fails with ERR_DATA if the keys contain such a character; `who` is the source of the keys, for the
 * message. */
int aws_keys_check(const struct aws_keys *k, const char *who, struct err *e);
#define AUTO_AWS_KEYS(name) __attribute__((cleanup(aws_keys_release))) struct aws_keys name = {0}

#endif
