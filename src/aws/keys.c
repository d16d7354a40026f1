/* Access keys as a value, and what may be in one. */
#include <aws/keys.h>

#include <stdlib.h>

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
            return "a blank";
        if ((unsigned char)*s < ' ' || *s == '\177')
            return "a control character";
        if ((unsigned char)*s > '\177')
            return "a character that is not ASCII";
    }
    return NULL;
}
