/* SPDX-License-Identifier: MIT */
/* Releases access keys, and checks that they contain no invalid characters. */
#include <aws/keys.h>

#include <stdlib.h>
#include <string.h>

void aws_keys_release(struct aws_keys *k)
{
    free(k->id);
    secret_free(k->token);
    secret_free(k->secret);
    free(k->account);
    *k = (struct aws_keys){0};
}

const char *aws_word_fault(const char *s)
{
    for (; *s; s++) {
        if (*s == ' ' || *s == '\t')
            return "a space";
        if ((unsigned char)*s < ' ' || *s == '\177')
            return "a control character";
        if ((unsigned char)*s > '\177')
            return "a character that is not ASCII";
    }
    return NULL;
}

static const char *secret_fault(const struct secret *s)
{
    if (!s)
        return NULL;
    return strlen(secret_bytes(s)) != secret_len(s) ? "a control character" : aws_word_fault(secret_bytes(s));
}

int aws_keys_check(const struct aws_keys *k, const char *who, struct err *e)
{
    const struct {
        const char *what, *found;
    } parts[] = {{"access key id", k->id ? aws_word_fault(k->id) : NULL},
                 {"secret access key", secret_fault(k->secret)},
                 {"session token", secret_fault(k->token)}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].found)
            continue;
        (void)err_set(e, ERR_DATA, "%s: the %s contains %s", who, parts[i].what, parts[i].found);
        return err_hint(e, "no server accepts a token signed with it: get new keys");
    }
    return 0;
}
