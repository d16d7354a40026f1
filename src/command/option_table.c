/* The options that there are, and finding one. What is made of a command line: options.c. */
#include <string.h>

#include <base/text.h>

#include "command.h"

const struct option option_table[OPT_COUNT] = {
#define OPTION(id, letter, name, argument, set, line, key)                                                   \
    {letter, name, argument, SET_##set, LINE_##line, key},
#include "options.def"
};

bool option_admitted(const struct verb *verb, const struct option *o)
{
    return !verb || ((verb->sets | SET_ALWAYS) & o->set);
}

int option_find_long(const struct verb *verb, const char *name, size_t n)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        const char *known = option_table[i].name;
        if (known && strlen(known) == n && memcmp(known, name, n) == 0 &&
            option_admitted(verb, &option_table[i]))
            return i;
    }
    return -1;
}

int option_find_letter(const struct verb *verb, char letter)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        if (option_table[i].letter == letter && option_admitted(verb, &option_table[i]))
            return i;
    }
    return -1;
}

const struct option *option_pending(const struct verb *verb, const char *word)
{
    int id = -1;

    if (text_starts(word, "--")) {
        id = option_find_long(verb, word + 2, strlen(word + 2));
        return id >= 0 && option_table[id].argument ? &option_table[id] : NULL;
    }
    for (const char *c = word + 1; *word == '-' && *c; c++) {
        id = option_find_letter(verb, *c);
        if (id < 0 || option_table[id].argument)
            return id >= 0 && !c[1] ? &option_table[id] : NULL;
    }
    return NULL;
}
