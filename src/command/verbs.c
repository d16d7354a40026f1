/* Finding a verb among those that there are. What each does is in its own file, the list of all in main.c. */
#include <base/text.h>

#include "command.h"

const struct verb *const *verb_table;

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verb_table[i]; i++) {
        if (text_equal(verb_table[i]->name, name))
            return verb_table[i];
    }
    return NULL;
}

size_t verb_names(const char *names[VERB_NAMES_MOST], bool to_guess)
{
    size_t n = 0;

    for (size_t i = 0; verb_table[i] && n + 1 < VERB_NAMES_MOST; i++) {
        if (!text_starts(verb_table[i]->name, "__") && !(to_guess && verb_table[i]->ends))
            names[n++] = verb_table[i]->name;
    }
    names[n] = NULL;
    return n;
}

/* Options that every program accepts by custom. */
const char *verb_meant(const char *word)
{
    if (text_equal(word, "--help") || text_equal(word, "-h"))
        return "help";
    return text_equal(word, "--version") ? "version" : word;
}

size_t verb_place(char *const *words, size_t n)
{
    size_t i = 0;

    while (i < n && words[i][0] == '-' && words[i][1] && !text_equal(words[i], "--") &&
           text_equal(verb_meant(words[i]), words[i]))
        i += option_pending(NULL, words[i]) ? 2 : 1;
    return i < n ? i : n;
}
