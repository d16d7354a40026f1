/* SPDX-License-Identifier: MIT */
/* AWS access keys: what each step of the chain yields, and what signs a request or an RDS token. */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include <time.h>

#include <base/err.h>
#include <base/secret.h>

struct aws_keys {
    char *id;
    struct secret *secret;
    struct secret *token; /* the session token; NULL: long-lived keys */
    char *account;        /* NULL: not known */
    time_t expires_at;    /* 0: not known, or never */
};

void aws_keys_release(struct aws_keys *k);
/* The kind of character that a key id, secret, token, ARN or region cannot contain: "a space", "a control
 * character", "a character that is not ASCII"; NULL if there is none. A token signed with such a text would
 * be refused by the server without a reason. */
const char *aws_word_fault(const char *s);

/* ERR_DATA for keys that are invalid by that rule; `who` gave them. */
int aws_keys_check(const struct aws_keys *k, const char *who, struct err *e);
#define AUTO_AWS_KEYS(name) __attribute__((cleanup(aws_keys_release))) struct aws_keys name = {0}

#endif
