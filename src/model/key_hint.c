/* SPDX-License-Identifier: MIT */
/* Guesses which key the user meant, for hints. It is apart from keys.c because it needs the names of keys in
 * other programs (url_words.c), which need keys.c. */
#include <model/profile.h>

#include <base/text.h>
#include <model/url.h>

#define KEYS_MOST ((size_t)KEY_COUNT + (size_t)TUNNEL_COUNT + (size_t)FILE_COUNT)

const char *key_closest(const struct key_info *infos, size_t count, const char *name)
{
    const char *names[KEYS_MOST + 1] = {0}, *theirs = url_word_key(name);

    if (theirs && key_find(infos, count, theirs) >= 0)
        return theirs;
    for (size_t i = 0; i < count && i < KEYS_MOST; i++)
        names[i] = infos[i].name;
    return text_closest(name, names);
}
