/* AWS access keys: what every part of the chain ends in, and what a request or an RDS token is signed with.
 */
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
/* What cannot be in a key id, a secret, a token, an ARN or a region: "a blank", "a control character", "a
 * character that is not ASCII"; NULL where there is nothing of that. Whoever signs with such a text gets a
 * token that the server refuses without a reason. */
const char *aws_word_fault(const char *s);

/* ERR_DATA for keys that cannot be any, by that rule; `who` gave them. */
int aws_keys_check(const struct aws_keys *k, const char *who, struct err *e);
#define AUTO_AWS_KEYS(name) __attribute__((cleanup(aws_keys_release))) struct aws_keys name = {0}

#endif
