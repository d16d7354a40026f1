/* Access keys as a value. */
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
