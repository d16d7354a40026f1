/* SPDX-License-Identifier: MIT */
/* Functions that read a target. */
#include <tunnel/target.h>

#include <string.h>

const char *target_key(const struct target *t, const char *key)
{
    size_t n = strlen(key);

    for (size_t i = 0; i < t->keys.count; i++) {
        const char *word = t->keys.word[i];
        if (text_starts(word, key) && word[n] == '=')
            return word[n + 1] ? word + n + 1 : NULL;
    }
    return NULL;
}

const char *target_name(const struct target *t)
{
    static struct buf text = BUF_INIT(300);

    if (t->socket)
        return t->socket;
    buf_clear(&text);
    text_address(&text, t->host, t->port);
    return buf_str(&text);
}
